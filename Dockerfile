# Two images: `front` reaches people and has no torch, `worker` makes clips on an NVIDIA GPU.
#   docker build --target front -t clapper-front .
#   docker build --target worker -t clapper-worker .
FROM python:3.11-slim AS front

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    # the root is read-only at run time; what libraries keep between calls goes with the container
    HOME=/tmp \
    CLAPPER_DATA_DIR=/data \
    CLAPPER_HEALTH_PORT=9464 \
    # the container is started anew by whoever runs it
    CLAPPER_SUPERVISE=false

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin clapper \
    && install -d -o clapper -m 700 /data /models
WORKDIR /opt/clapper
COPY requirements.lock ./
# only files whose hashes are known; a layer of its own, which stays while the pins stay
RUN pip install --require-hashes --no-deps --requirement requirements.lock
COPY pyproject.toml constraints.txt README.md LICENSE clapper.py ./
COPY migrations migrations
COPY workflows workflows
COPY comfyui/pins.toml comfyui/pins.toml
COPY core core
COPY bots bots
COPY webui webui
# in place: workflows, migrations and pins lie beside the packages
RUN pip install --no-deps --no-build-isolation --editable '.[cluster,mcp]'

USER clapper
VOLUME /data
EXPOSE 7860
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=4s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/livez', timeout=3)"]
CMD ["clapper", "serve"]


FROM front AS worker

USER root
# ComfyUI at its pin, and torch with the CUDA libraries that it brings; the driver is the host's
RUN clapper comfy install
ENV CLAPPER_MODELS_DIR=/models/comfyui \
    CLAPPER_HUB_CACHE=/models/hub
USER clapper
VOLUME /models
CMD ["clapper", "worker"]
