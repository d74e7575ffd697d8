# The register as an image. One process with SQLite in a volume, for a small deployment or a try:
#   docker build -t cekal .
#   docker run --rm -v cekal:/data cekal cekal migrate
#   docker run -d -p 8000:8000 -v cekal:/data cekal
# With PostgreSQL: see compose.yaml.
#
# What is installed is what the lock files pin, by their hashes. To renew them, with `uv`, from the repository's top:
#   uv pip compile pyproject.toml --generate-hashes --universal --python-version 3.11 --no-header -o .ci/image.lock
#   uv pip compile pyproject.toml --extra test -c .ci/image.lock … -o .ci/test.lock   (… as above)
#   echo 'hatchling>=1.27' | uv pip compile - … -o .ci/build.lock

FROM python:3.11-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
COPY .ci/build.lock .ci/image.lock ./
RUN python -m venv /srv/build \
    && /srv/build/bin/pip install --require-hashes --requirement build.lock
RUN python -m venv /srv/cekal \
    && /srv/cekal/bin/pip install --require-hashes --requirement image.lock
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY app app
RUN /srv/build/bin/python -m hatchling build --target wheel --directory wheel \
    && /srv/cekal/bin/pip install --no-deps --no-index wheel/*.whl \
    && /srv/cekal/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim
RUN groupadd --system --gid 10001 cekal \
    && useradd --system --uid 10001 --gid cekal --no-create-home --home-dir /data --shell /usr/sbin/nologin cekal \
    && install --directory --owner=cekal --group=cekal --mode=0700 /data
COPY --from=build /srv/cekal /srv/cekal
ENV PATH=/srv/cekal/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CEKAL_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as http; http.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["cekal", "serve", "--host", "0.0.0.0"]
