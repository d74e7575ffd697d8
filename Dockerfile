# The register as an image. One process with SQLite in a volume, for a small deployment or a try:
#   docker build -t cekal .
#   docker run --rm -v cekal:/data cekal cekal migrate
#   docker run -d -p 8000:8000 -v cekal:/data cekal
# With PostgreSQL: see compose.yaml.

FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /srv/cekal
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY app app
RUN /srv/cekal/bin/pip install --no-cache-dir --disable-pip-version-check . \
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
