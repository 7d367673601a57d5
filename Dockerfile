# One image for all six services; compose says which one a container is. Sources run as they are (Node strips the types), so
# building is installing what production needs. Needs no BuildKit.
#
#   docker build -t zeq-mesh .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS base
WORKDIR /mesh
ENV NODE_ENV=production

FROM base AS tools
ARG PNPM=10.34.9
ENV CI=true
RUN npm install --global --ignore-scripts "pnpm@${PNPM}"

# The page as static files; what builds it stays behind.
FROM tools AS page
ENV NODE_ENV=development
COPY . .
RUN pnpm install --frozen-lockfile --ignore-scripts --filter '@zeq/byok-app...' \
 && node --disable-warning=ExperimentalWarning dev/build-page.ts

# What the lockfile names, once per lockfile; no package's own script runs.
FROM tools AS packages
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
RUN pnpm fetch --prod --ignore-scripts
COPY . .
RUN pnpm install --prod --offline --frozen-lockfile --ignore-scripts --filter '{./services/*}...' \
 && rm -rf bench dev e2e faults

FROM base AS mesh
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Zeq mesh" \
      org.opencontainers.image.description="A self-hosted vault and forwarding mesh for other people's API keys" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# owned by root and read by an ordinary user: what runs cannot change itself
COPY --from=packages /mesh ./
COPY --from=page /mesh/packages/byok-app/dist packages/byok-app/dist/
# what V8 makes of it, so that a start takes half the time; written by the user who is to read it, then out of that user's hands
ENV NODE_COMPILE_CACHE=/mesh/.compile-cache
RUN mkdir .compile-cache && chown node:node .compile-cache
USER node
RUN node --disable-sigusr1 --max-semi-space-size=16 --disable-warning=ExperimentalWarning scripts/warm-compile-cache.mjs
USER root
RUN chown -R root:root .compile-cache && chmod -R a+rX .compile-cache
# where embedded stores would lie; compose mounts a volume there for the service that has one
RUN mkdir /data && chown node:node /data
ENV ZEQ_BIND=0.0.0.0 ZEQ_DATA_DIR=/data
USER node
STOPSIGNAL SIGTERM
# the flags of dev/runtime.ts, which says why
ENTRYPOINT ["node", "--disable-sigusr1", "--max-semi-space-size=16", "--disable-warning=ExperimentalWarning"]
CMD ["services/gateway/src/main.ts"]
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["bash", "scripts/healthcheck.sh"]
