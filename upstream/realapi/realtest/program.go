package realtest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Program runs a server, as a test's own program does it: it prints its port on a line
// of its own and serves 127.0.0.1 until the test ends. Its address is returned.
func Program(t *testing.T, command ...string) string {
	t.Helper()
	return Run(t, nil, command...)
}

// Run is Program with further variables, each "NAME=value". Lines that are not a port are
// passed over.
func Run(t *testing.T, env []string, command ...string) string {
	t.Helper()
	server := exec.Command(command[0], command[1:]...)
	server.Env = append(os.Environ(), env...)
	out, err := server.StdoutPipe()
	Must(t, err)
	said, err := os.CreateTemp(t.TempDir(), "said")
	Must(t, err)
	server.Stderr = said
	Must(t, server.Start())
	ports, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(io.TeeReader(out, said))
		for lines.Scan() {
			line := strings.TrimSpace(lines.Text())
			if n, err := strconv.Atoi(line); err == nil && n > 0 && n < 65536 && len(ports) == 0 {
				ports <- line
			}
		}
	}()
	t.Cleanup(func() { _ = server.Process.Kill(); <-ended; _ = server.Wait() })
	select {
	case port := <-ports:
		return "http://127.0.0.1:" + port
	case <-ended:
	case <-time.After(10 * time.Minute): // more than a busy machine needs
	}
	text, _ := os.ReadFile(said.Name())
	t.Fatalf("%s did not start: %s", strings.Join(command, " "), text)
	return ""
}
