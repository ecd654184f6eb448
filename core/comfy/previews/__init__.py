"""Small pictures of a clip while it is sampled, from the sampler's latents.

Belongs here: what looks at latents. Never here: what changes them, or waits for the device.
"""
