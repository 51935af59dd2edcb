// Command release writes Coatcheck's container image as an archive, without a
// container engine: what `docker load` and `podman load` read. It has the program, the
// certificate authorities that Mozilla trusts, and a user; no shell, no package manager.
//
// It is a module of its own, because nothing here is part of the program. The tool that
// writes bills of materials is pinned in the same go.mod.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func main() {
	program := flag.String("program", "coatcheck", "`FILE` of the program, linked statically for Linux")
	arch := flag.String("arch", runtime.GOARCH, "`ARCHITECTURE` the program was built for")
	version := flag.String("version", "unknown", "`VERSION`, the image's tag")
	out := flag.String("o", "coatcheck.image.tar", "`FILE` to write")
	flag.Parse()
	if err := write(*out, *program, *arch, *version); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func write(out, program, arch, version string) error {
	tag, err := name.NewTag("coatcheck:" + version)
	if err != nil {
		return err
	}
	made, err := image(program, arch, version)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(out, tag, made)
}
