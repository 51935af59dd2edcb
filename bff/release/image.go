package main

import (
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// settings is what a container starts, and as whom: the same as in the Dockerfiles.
func settings(version string) v1.Config {
	return v1.Config{
		User:         "65532:65532",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Env:          []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SSL_CERT_FILE=" + authorities},
		Entrypoint:   []string{"/coatcheck"},
		Cmd:          []string{"serve", "--config", "/etc/coatcheck/coatcheck.yaml"},
		WorkingDir:   "/home/nonroot",
		Healthcheck: &v1.HealthConfig{
			Test:        []string{"CMD", "/coatcheck", "healthcheck"},
			Interval:    10 * time.Second,
			Timeout:     3 * time.Second,
			StartPeriod: 10 * time.Second,
		},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "Coatcheck",
			"org.opencontainers.image.description": "Keeps an API's tokens out of the browser.",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     version,
		},
	}
}

// image has two layers: what changes with a release of Mozilla's list, and the program.
// It has no time of its own, so the same input makes the same image.
func image(program, arch, version string) (v1.Image, error) {
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	below, err := layer(system()...)
	if err != nil {
		return nil, err
	}
	above, err := layer(entry{name: "coatcheck", content: binary, mode: 0o755})
	if err != nil {
		return nil, err
	}
	made, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: arch, Config: settings(version), RootFS: v1.RootFS{Type: "layers"}})
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(made, below, above)
}
