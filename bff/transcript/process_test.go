package transcript_test

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a condition is waited for. Only a failure takes so long.
const patience = 2 * time.Minute

// program is the built program, serving one configuration.
type program struct {
	*exec.Cmd
	t             *testing.T
	public, admin string // addresses

	mu     sync.Mutex
	lines  []string      // of its log
	more   chan struct{} // closed and made anew with each line
	exited chan struct{}
}

// serve starts the program. The kernel chooses its ports; its log tells them.
func serve(t *testing.T, config string, env ...string) *program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: exec.Command(binary, "serve", "-config", file), t: t, more: make(chan struct{}), exited: make(chan struct{})}
	p.Env = append(os.Environ(), env...)
	log, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(bufio.NewReader(log)) // ends with the process
	t.Cleanup(func() { _ = p.Process.Kill(); <-p.exited })
	p.until("an address in the log", p.serving)
	return p
}

func (p *program) read(log *bufio.Reader) {
	defer close(p.exited)
	for {
		line, err := log.ReadString('\n')
		p.mu.Lock()
		if line != "" {
			p.lines = append(p.lines, strings.TrimSuffix(line, "\n"))
		}
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			_ = p.Wait()
			return
		}
	}
}

func (p *program) serving(lines []string) bool {
	for _, line := range lines {
		var l struct{ Msg, Listen, Admin string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "serving" {
			p.public, p.admin = l.Listen, l.Admin
			return true
		}
	}
	return false
}

// until waits for a condition on the log.
func (p *program) until(what string, ok func(lines []string) bool) {
	p.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		p.mu.Lock()
		lines, more := slices.Clone(p.lines), p.more
		p.mu.Unlock()
		if ok(lines) {
			return
		}
		select {
		case <-more:
		case <-p.exited:
			p.t.Fatalf("the program ended before there was %s:\n%s", what, strings.Join(lines, "\n"))
		case <-late.C:
			p.t.Fatalf("waited in vain for %s:\n%s", what, strings.Join(lines, "\n"))
		}
	}
}

func (p *program) log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// end lets the program end in good order, and returns its exit code.
func (p *program) end() int {
	p.t.Helper()
	_ = p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(2 * patience):
		p.t.Fatalf("the program does not end:\n%s", strings.Join(p.log(), "\n"))
	}
	return p.ProcessState.ExitCode()
}

// refusing is an address that the kernel reserved and nobody listens at: connecting
// to it is refused, and no other program can be given it meanwhile.
func refusing(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}).String()
}
