# Two images: `front` reaches people and has no torch, `worker` makes clips on an NVIDIA GPU.
#   docker build --target front -t clapper-front .
#   docker build --target worker -t clapper-worker .
FROM python:3.11-slim AS packages

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
COPY requirements.lock ./
# Only files whose hashes are known. Out goes what no run reads: tests, what debuggers want, of Gradio
# its server for Node, its ffmpeg for browsers and its examples, of CLDR what nobody here has words in.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv install --no-compile --require-hashes --no-deps --requirement requirements.lock \
    && cd /opt/venv/lib/python3.11/site-packages \
    && rm -r gradio/templates/node gradio/templates/frontend/static/ffmpeg gradio/media_assets \
    && find babel/locale-data -type f -not -regex '.*/\(root\|\(en\|de\|pl\)\(_.*\)?\)\.dat' -delete \
    && find . -depth -type d -name tests -exec rm -r {} + \
    && find . -name '*.so' -not -path '*.libs/*' -exec strip --strip-debug {} +


FROM python:3.11-slim AS front

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
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
# a layer of its own, which stays while the pins stay
COPY --from=packages /opt/venv /opt/venv
COPY pyproject.toml constraints.txt README.md LICENSE clapper.py ./
COPY migrations migrations
COPY workflows workflows
COPY comfyui/pins.toml comfyui/pins.toml
COPY core core
COPY bots bots
COPY webui webui
# in place: workflows, migrations and pins lie beside the packages
RUN pip --python /opt/venv install --no-deps --no-build-isolation --editable '.[cluster,mcp]'
# Every mode once, as a check of the image. What Python compiles for it stays: at run time nothing
# can be written, and each of many processes would compile all of it anew.
RUN export PYTHONDONTWRITEBYTECODE= \
    && clapper demo --out /tmp/demo \
    && python -c 'import bots.discord.front, bots.telegram.front, webui.application, webui.front' \
    && rm -r /tmp/*

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
RUN python -m ensurepip && clapper comfy install
ENV CLAPPER_MODELS_DIR=/models/comfyui \
    CLAPPER_HUB_CACHE=/models/hub
USER clapper
VOLUME /models
CMD ["clapper", "worker"]
