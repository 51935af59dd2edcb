package command

import (
	"runtime/debug"
	"testing"
)

// TestVersionOfABuild: what the linker stamped, else what the Go tool knew.
func TestVersionOfABuild(t *testing.T) {
	info := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "abc"}
	for _, row := range []struct {
		version, commit string
		info            *debug.BuildInfo
		wantV, wantC    string
	}{
		{"dev", "", nil, "dev", "unknown commit"},
		{"dev", "", info("(devel)"), "dev", "unknown commit"},
		{"dev", "", info("(devel)", revision), "dev", "abc"},
		{"dev", "", info("v0.1.1-0.20260101000000-abcdef", revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "v0.1.1-0.20260101000000-abcdef", "abc, modified"},
		{"dev", "", info("v1.2.3"), "v1.2.3", "unknown commit"},
		{"v9", "def", info("v1.2.3", revision), "v9", "def"},
	} {
		if v, c := describe(row.version, row.commit, row.info); v != row.wantV || c != row.wantC {
			t.Errorf("%+v: %s (%s)", row, v, c)
		}
	}
}
