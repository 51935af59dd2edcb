package world

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"coatcheck/bff/freeport"
)

// Process is a program that ends with its world.
type Process struct {
	*exec.Cmd
	mu     sync.Mutex
	output bytes.Buffer
	gone   chan struct{}
}

// Write implements [io.Writer]: what the program prints.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

// Output is all that it printed.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Start starts a program in a folder, with env beside our own.
func (w *World) Start(dir string, env []string, name string, args ...string) (*Process, error) {
	p := &Process{Cmd: exec.Command(name, args...), gone: make(chan struct{})}
	p.Dir, p.Env, p.Stdout, p.Stderr = dir, append(os.Environ(), env...), p, p
	p.WaitDelay = time.Minute // what a busy machine has not yet read is read
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.Cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = p.Wait(); close(p.gone) }() // ends with the process
	w.OnEnd(p.Stop)
	return p, nil
}

// Stop ends the program and what it started.
func (p *Process) Stop() {
	_ = syscall.Kill(-p.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(3 * time.Second):
		_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
		<-p.gone
	}
}

// Ready waits until somebody listens at an address.
func (p *Process) Ready(address string) error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		select {
		case <-p.gone:
			return fmt.Errorf("%s ended: %s", p.Path, p.Output())
		default:
		}
	}
	return fmt.Errorf("%s does not listen: %s", p.Path, p.Output())
}

// Port is a port of 127.0.0.1 that nobody else uses while the world stands.
func (w *World) Port() (string, error) {
	port, release, err := freeport.Hold()
	if err != nil {
		return "", err
	}
	w.OnEnd(release)
	return strconv.Itoa(port), nil
}
