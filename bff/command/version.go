package command

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Build is the version and commit of the program.
type Build struct{ Version, Commit string }

// BuildOf is what the linker stamped ("dev" and "": nothing), or else what the Go tool
// knew when it built the program from a checkout or a module.
func BuildOf(version, commit string) Build {
	info, _ := debug.ReadBuildInfo()
	version, commit = describe(version, commit, info)
	return Build{version, commit}
}

// Version prints version, commit and Go version.
func (p *Program) Version(b Build) error {
	_, err := fmt.Fprintf(p.Stdout, "coatcheck %s (%s) %s\n", b.Version, b.Commit, runtime.Version())
	return err
}

func describe(version, commit string, info *debug.BuildInfo) (string, string) {
	if info == nil {
		info = new(debug.BuildInfo)
	}
	known := map[string]string{}
	for _, s := range info.Settings {
		known[s.Key] = s.Value
	}
	if version == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	if commit == "" && known["vcs.revision"] != "" {
		commit = known["vcs.revision"]
		if known["vcs.modified"] == "true" {
			commit += ", modified"
		}
	}
	return version, cmp.Or(commit, "unknown commit")
}
