"""Edges of a film, with thresholds that follow its contrast: ComfyUI's own Canny finds them."""

from types import ModuleType
from typing import Any, ClassVar

EDGES_CLASS = "ClapperEdges"
_LOOKED_AT = (
    8  # frames, spread over the film: thresholds are one pair, so that lines do not flicker
)
_LOW_OF_HIGH = 0.4  # the usual relation of Canny's two thresholds
_LEAST, _MOST = 0.08, 0.98  # below is the noise of flat pictures; above Canny takes none


def edges_node(classes: dict[str, type], torch: ModuleType) -> type:
    """Make the node class that draws edges.

    Args:
        classes: ComfyUI's table of node classes, which has ``Canny``.
        torch: the imported module.
    """

    class ClapperEdges:
        """Draws the edges of pictures, so many as ``share`` of their pixels has a strong one."""

        CATEGORY = "clapper"
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ("IMAGE",)
        FUNCTION = "draw"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            share = {"default": 0.06, "min": 0.001, "max": 0.5, "step": 0.001}
            return {"required": {"image": ("IMAGE",), "share": ("FLOAT", share)}}

        def draw(self, image: Any, share: float) -> tuple[Any]:
            """Return the edges of ``image``, as many pictures as there are."""
            canny: Any = classes["Canny"]
            high = threshold(torch, image, share)
            drawn = canny.execute(image, max(0.01, high * _LOW_OF_HIGH), high)
            return (drawn[0],)

    return ClapperEdges


def threshold(torch: ModuleType, image: Any, share: float) -> float:
    """Return the steepness that ``share`` of all pixels exceeds, as Canny measures it.

    Args:
        torch: the imported module.
        image: ``[T, H, W, 3]``, values from 0 to 1.
        share: of the pixels.
    """
    chosen = image[:: max(1, -(-image.shape[0] // _LOOKED_AT))].float()
    grey = (chosen[..., :3] @ torch.tensor([0.299, 0.587, 0.114], device=image.device))[:, None]
    padded = torch.nn.functional.pad(grey, (2, 2, 2, 2), mode="replicate")
    weights = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=image.device) / 16
    smooth = torch.nn.functional.conv2d(padded, (weights[:, None] * weights)[None, None])
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=image.device)
    kernels = torch.stack([across, across.T])[:, None]
    slopes = torch.nn.functional.conv2d(smooth, kernels).square().sum(1).sqrt().flatten()
    nth = min(slopes.numel(), max(1, round(slopes.numel() * (1 - share))))
    return min(_MOST, max(_LEAST, float(slopes.kthvalue(nth).values)))
