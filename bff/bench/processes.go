//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticks is what /proc counts processor time in, per second (USER_HZ: 100 on every
// Linux that Go runs on).
const ticks = 100

type process struct {
	*exec.Cmd
	name string
	log  string
	gone chan struct{}
}

// place is the folder of a run, and what was started there.
type place struct {
	dir       string
	processes []*process
}

// end ends what was started, and removes the folder.
func (at *place) end() {
	at.stop()
	_ = os.RemoveAll(at.dir)
}

// start runs a program bound to some cores.
func (at *place) start(name, cores string, argv ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(at.dir, name+".log"), gone: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.Cmd = exec.Command("taskset", append([]string{"-c", cores}, argv...)...)
	p.Stdout, p.Stderr, p.Dir = out, out, at.dir
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.Start(); err != nil {
		return nil, err
	}
	at.processes = append(at.processes, p)
	go func() { _ = p.Wait(); close(p.gone) }() // ends with the process
	return p, nil
}

// stop ends what this run started, last first.
func (at *place) stop() {
	for i := len(at.processes) - 1; i >= 0; i-- {
		p := at.processes[i]
		_ = syscall.Kill(-p.Process.Pid, syscall.SIGTERM)
		select {
		case <-p.gone:
		case <-time.After(5 * time.Second):
			_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
			<-p.gone
		}
	}
	at.processes = nil
}

// listening waits until somebody answers at an address.
func (p *process) listening(address string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.gone:
			err = errors.New("it ended")
		default:
			if time.Now().Before(end) {
				continue
			}
		}
		log, _ := os.ReadFile(p.log)
		return fmt.Errorf("%s: %w\n%s", p.name, err, log)
	}
}

// free is an address nobody listens on.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// family is a process and all below it.
func (p *process) family() []int {
	all := []int{p.Process.Pid}
	for i := 0; i < len(all); i++ {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, name := range tasks {
			text, _ := os.ReadFile(name)
			for _, field := range strings.Fields(string(text)) {
				if pid, err := strconv.Atoi(field); err == nil {
					all = append(all, pid)
				}
			}
		}
	}
	return all
}

// spent is the processor time of the family so far, user and system.
func (p *process) spent() (time.Duration, error) {
	total := 0
	for _, pid := range p.family() {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			return 0, fmt.Errorf("stat of %d: %q", pid, text)
		}
		for _, field := range fields[11:13] {
			n, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	return time.Duration(total) * (time.Second / ticks), nil
}

// resident is the family's resident memory in KiB.
func (p *process) resident() (int, error) {
	total := 0
	for _, pid := range p.family() {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(text), "VmRSS:")
		number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return 0, fmt.Errorf("status of %d: %w", pid, err)
		}
		total += n
	}
	return total, nil
}

// pause waits, or ends early with the run.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
