package process

import (
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/bff/rig"
	"coatcheck/configs"
	"coatcheck/configs/read"
)

// TestStartThatFails: rooms that were made before one failed are given back. The session file
// is free for the next try, and the log is written to its end.
func TestStartThatFails(t *testing.T) {
	text := strings.NewReplacer("memory://", "file://"+filepath.Join(t.TempDir(), "sessions.db"), "API", "http://127.0.0.1:1").Replace(reloadConfig)
	exporter := "pigeons"
	getenv := func(name string) (string, bool) { return exporter, name == "OTEL_TRACES_EXPORTER" }
	config, faults := read.Text("c.yaml", []byte(text), getenv, nil)
	if configs.Refused(faults) {
		t.Fatal(faults)
	}
	logs := new(rig.Buffer)
	if _, err := New(Options{Config: config, Getenv: getenv, Log: logs}); err == nil || !strings.Contains(err.Error(), "OTEL_TRACES_EXPORTER") {
		t.Fatalf("the first try: %v", err)
	}
	if !strings.Contains(logs.String(), `"msg":"ended"`) {
		t.Errorf("log: %s", logs)
	}
	exporter = "none"
	p, err := New(Options{Config: config, Getenv: getenv, Log: logs})
	if err != nil {
		t.Fatalf("the next try: %v", err)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}
