# Coatcheck in an image with nothing else in it: no shell, no package manager,
# not root. The configuration is mounted:
#
#   docker run -p 8080:8080 -v ./coatcheck.yaml:/etc/coatcheck/coatcheck.yaml:ro \
#       -e REDIS_URL -e COATCHECK_KEY coatcheck

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Cross-built, so that an image for another machine needs no emulator:
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=… --build-arg COMMIT=… .
ARG TARGETOS TARGETARCH VERSION=container COMMIT=unknown
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /coatcheck ./bff

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /coatcheck /coatcheck
LABEL org.opencontainers.image.title="Coatcheck" \
      org.opencontainers.image.description="Keeps an API's tokens out of the browser." \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
EXPOSE 8080
# Asks the admin listener inside the container. --start-period covers a store
# that comes up later than we do.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/coatcheck", "healthcheck"]
ENTRYPOINT ["/coatcheck"]
CMD ["serve", "--config", "/etc/coatcheck/coatcheck.yaml"]
