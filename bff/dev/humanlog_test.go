package dev_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"coatcheck/bff/dev"
)

// TestHumanLog: a line for a call with what came of it and why; nothing that a caller
// sent moves the cursor.
func TestHumanLog(t *testing.T) {
	var out bytes.Buffer
	served := 0
	log := dev.HumanLog(&out, func(admin string) {
		served++
		if admin != "127.0.0.1:9091" {
			t.Errorf("the admin listener is at %q", admin)
		}
	})
	lines := `{"time":"2025-03-01T12:00:00.5Z","level":"INFO","msg":"serving","listen":"127.0.0.1:8080","admin":"127.0.0.1:9091"}
{"time":"2025-03-01T12:00:01Z","level":"INFO","msg":"call","frontend":"shop","method":"GET","path":"/api/x","status":200,"duration_ms":1.25,"request_id":"abc"}
{"time":"2025-03-01T12:00:02Z","level":"ERROR","msg":"call","frontend":"shop","method":"GET","path":"/","status":502,"duration_ms":0.5,"code":"upstream_unreachable","error":"upstream_unreachable: connection refused"}
{"time":"2025-03-01T12:00:03Z","level":"INFO","msg":"security","event":"configuration","outcome":"changed"}
{"time":"2025-03-01T12:00:04Z","level":"WARN","msg":"configuration","fault":"a.yaml:1:2: unknown key"}
{"time":"2025-03-01T12:00:05Z","level":"INFO","msg":"call","method":"GET","path":"/\u001b[2J","status":404}
{"time":"2025-03-01T12:00:06Z","level":"INFO","msg":"call","frontend":"shop","method":"GET","path":"/api/x","status":401,"duration_ms":3,"upstream_ms":2.5}
not JSON
`
	if n, err := io.WriteString(log, lines); n != len(lines) || err != nil || served != 1 {
		t.Errorf("%d of %d, %v, served %d times", n, len(lines), err, served)
	}
	want := []string{
		"  12:00:01  shop     GET    /api/x                           200  1.2 ms",
		"  12:00:02  shop     GET    /                                502  0.5 ms  upstream_unreachable: connection refused",
		"  12:00:03  configuration: changed",
		"  12:00:04  configuration  fault=a.yaml:1:2: unknown key",
		"  12:00:05           GET    /?[2J                            404  0.0 ms",
		"  12:00:06  shop     GET    /api/x                           401  3.0 ms  the API's answer",
	}
	if got := strings.Split(strings.TrimRight(out.String(), "\n"), "\n"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
