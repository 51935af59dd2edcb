package process

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"coatcheck/bff/admin"

	"github.com/coreos/go-systemd/v22/daemon"
)

// supervisor is the service manager that started this process, if it wants to hear how
// it is (sd_notify(3)). Without NOTIFY_SOCKET nothing is said to anybody.
type supervisor struct {
	getenv func(string) (string, bool)
}

func (s supervisor) say(state string) {
	if socket, _ := s.getenv("NOTIFY_SOCKET"); socket != "" {
		_, _ = daemon.SdNotify(false, state) // a supervisor that does not listen stops nothing
	}
}

// ready says that calls are answered.
func (s supervisor) ready() { s.say(daemon.SdNotifyReady) }

// reloading says that the configuration is read again; ready follows.
func (s supervisor) reloading() {
	s.say(daemon.SdNotifyReloading + "\n" + strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

// stopping says that the process ends, within so long.
func (s supervisor) stopping(within time.Duration) {
	s.say(fmt.Sprintf("%s\nEXTEND_TIMEOUT_USEC=%d", daemon.SdNotifyStopping, within.Microseconds()))
}

// watch tells the supervisor's watchdog, twice in its interval, that this process
// still answers: it asks itself. A process that hangs falls silent and is restarted.
// It ends with ctx.
func (s supervisor) watch(ctx context.Context, address string) error {
	if limit, _ := s.getenv("WATCHDOG_USEC"); limit == "" {
		return nil
	}
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return err
	}
	at, via, err := admin.At(address)
	if err != nil {
		return err
	}
	go func() {
		client := &http.Client{Transport: via, Timeout: interval / 2}
		tick := time.NewTicker(interval / 2)
		defer tick.Stop()
		for {
			if answers(ctx, client, at) {
				s.say(daemon.SdNotifyWatchdog)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}

// urlOf is how a listener of ours is asked.
func urlOf(a net.Addr) string {
	if a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return "http://" + a.String()
}

func answers(ctx context.Context, client *http.Client, at *url.URL) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath("livez").String(), nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
