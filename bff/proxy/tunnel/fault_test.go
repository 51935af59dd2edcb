package tunnel_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"coatcheck/bff/call"
	"coatcheck/bff/proxy/tunnel"
)

// TestTunnelFault: a fault of the program in a tunnel ends that tunnel, with one line.
func TestTunnelFault(t *testing.T) {
	var log bytes.Buffer
	if err := tunnel.RunBroken(call.Events{Log: slog.New(slog.NewJSONHandler(&log, nil))}); err == nil {
		t.Error("the tunnel goes on")
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), `"msg":"panic"`) {
		t.Errorf("%d lines:\n%s", lines, &log)
	}
}
