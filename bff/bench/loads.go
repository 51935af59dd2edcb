//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

var (
	calls   = regexp.MustCompile(`(\d+) requests in`)
	rate    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	latency = regexp.MustCompile(`\s+(50|99)%\s+(\S+)`)
	failed  = regexp.MustCompile(`Non-2xx|Socket errors`)
)

// spend runs a load on core 0 and tells what the proxy spent for it. answered reads how
// many calls there were out of what the load said.
func (r row) spend(ctx context.Context, answered func(out []byte, m *measure) (float64, error), argv ...string) (m measure, err error) {
	before, err := r.spent()
	if err != nil {
		return m, err
	}
	begun := time.Now()
	out, err := exec.CommandContext(ctx, "taskset", append([]string{"-c", "0"}, argv...)...).CombinedOutput()
	if err != nil {
		return m, fmt.Errorf("%s: %w\n%s", argv[0], err, out)
	}
	m.wall = time.Since(begun)
	after, err := r.spent()
	if err != nil {
		return m, err
	}
	n, err := answered(out, &m)
	if err != nil || n == 0 {
		return m, errors.Join(err, errors.New("no calls"))
	}
	m.calls, m.cpu = n, float64((after-before).Microseconds())/n
	m.resident, err = r.resident()
	return m, err
}

func (r row) host() string {
	_, port, _ := net.SplitHostPort(r.address)
	return "localhost:" + port
}

// wrk calls as often as it can.
func wrk(path, script string) func(context.Context, *bench, row, time.Duration) (measure, error) {
	return func(ctx context.Context, b *bench, r row, length time.Duration) (measure, error) {
		argv := []string{"wrk", "-t1", "-c", strconv.Itoa(b.connections), "-d", seconds(length),
			"--latency", "-H", "Host: " + r.host(), "-H", "Cookie: " + r.cookie}
		if script != "" {
			file := filepath.Join(b.dir, "wrk.lua")
			if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
				return measure{}, err
			}
			argv = append(argv, "-s", file)
		}
		return r.spend(ctx, readWrk, append(argv, r.scheme+"://"+r.address+path)...)
	}
}

// seconds is a length as wrk takes it: whole seconds, at least one.
func seconds(length time.Duration) string {
	return fmt.Sprintf("%.0fs", max(1, length.Seconds()))
}

func readWrk(out []byte, m *measure) (float64, error) {
	if failed.Match(out) {
		return 0, fmt.Errorf("not every call was answered 200\n%s", out)
	}
	found, speed, times := calls.FindSubmatch(out), rate.FindSubmatch(out), latency.FindAllSubmatch(out, -1)
	if found == nil || speed == nil || len(times) != 2 {
		return 0, errors.New("wrk says: " + string(out))
	}
	m.p50, m.p99 = string(times[0][2]), string(times[1][2])
	var err error
	if m.rate, err = strconv.ParseFloat(string(speed[1]), 64); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// atRate calls so many times a second, whatever the answers take.
func atRate(perSecond int) func(context.Context, *bench, row, time.Duration) (measure, error) {
	return loaded("calls", "-rate", strconv.Itoa(perSecond))
}

// loaded runs one of this program's own loads.
func loaded(kind string, more ...string) func(context.Context, *bench, row, time.Duration) (measure, error) {
	return func(ctx context.Context, b *bench, r row, length time.Duration) (measure, error) {
		argv := append([]string{b.own, "load", "-kind", kind, "-address", r.address, "-cookie", r.cookie, "-length", length.String(),
			"-connections", strconv.Itoa(b.connections)}, more...)
		return r.spend(ctx, func(out []byte, m *measure) (float64, error) {
			var said loadReport
			if err := json.Unmarshal(out, &said); err != nil {
				return 0, fmt.Errorf("%w: %s", err, out)
			}
			m.rate, m.p50, m.p99 = float64(said.Calls)/length.Seconds(), said.P50.String(), said.P99.String()
			return float64(said.Calls), nil
		}, argv...)
	}
}

// curl moves one GiB, down or up.
func curl(way string) func(context.Context, *bench, row, time.Duration) (measure, error) {
	return func(ctx context.Context, b *bench, r row, _ time.Duration) (measure, error) {
		argv := []string{"curl", "-sS", "-f", "-o", "/dev/null", "-H", "Host: " + r.host(), "-H", "Cookie: " + r.cookie, "-w", "%{size_download} %{size_upload}"}
		if way == "up" {
			argv = append(argv, "-X", "POST", "-H", "X-CSRF: 1", "-H", "Expect:", "-T", filepath.Join(b.dir, "www", "api", "1g"))
		}
		return r.spend(ctx, func(out []byte, m *measure) (float64, error) {
			var down, up int64
			if _, err := fmt.Sscan(string(out), &down, &up); err != nil || max(down, up) != gib {
				return 0, fmt.Errorf("not a GiB: %s", out)
			}
			m.p50 = m.wall.Round(10 * time.Millisecond).String()
			return 1, nil
		}, append(argv, r.scheme+"://"+r.address+"/api/1g")...)
	}
}
