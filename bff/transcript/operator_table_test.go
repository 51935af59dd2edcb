package transcript_test

import (
	"net"
	"slices"
	"strings"
	"syscall"
	"time"
)

// draining waits until the process takes no new connections.
func (p *play) draining() {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", p.program.public)
		if err != nil {
			return
		}
		_ = c.Close()
	}
	p.t.Fatal("connections are still taken")
}

func (p *play) signal() { _ = p.program.Process.Signal(syscall.SIGTERM) }

// operatorTable is health, the admin listener, and how a process ends.
var operatorTable = []scenario{
	{name: "operator-health-path", about: "health_path answers for any host.", config: sameOrigin, play: func(p *play) {
		p.call("GET", "\nGET /healthz HTTP/1.1\nHost: 10.0.0.1")
		p.call("HEAD", "\nHEAD /healthz HTTP/1.1\nHost: 10.0.0.1")
		p.call("POST", "\nPOST /healthz HTTP/1.1\nHost: 10.0.0.1\nContent-Length: 0")
		p.call("a query makes it another path", "\nGET /healthz?x HTTP/1.1\nHost: 10.0.0.1")
		p.call("nothing of the admin listener is here", "\nGET /readyz HTTP/1.1\nHost: shop.example.com")
	}},
	{name: "operator-admin-listener", about: "Health, metrics and the administration of sessions.", config: sameOrigin, play: func(p *play) {
		at := func(line, more string) string {
			return "\n" + line + " HTTP/1.1\nHost: admin\nConnection: close" + more
		}
		const token = "\nAuthorization: Bearer admin-token"
		p.admin("life", at("GET /livez", ""))
		p.admin("readiness", at("GET /readyz", ""))
		p.admin("no token", at("GET /admin/sessions?frontend=shop&subject=ada", ""))
		p.admin("a wrong one", at("GET /admin/sessions?frontend=shop&subject=ada", token+"x"))
		p.admin("a parameter missing", at("GET /admin/sessions?frontend=shop", token))
		p.admin("nobody", at("GET /admin/sessions?frontend=shop&subject=ada", token))
		p.signIn()
		p.admin("Ada", at("GET /admin/sessions?frontend=shop&subject=ada", token))
		p.admin("ended", at("DELETE /admin/sessions?frontend=shop&subject=ada", token))
		p.admin("another method", at("POST /livez", ""))
		p.admin("another path", at("GET /", ""))
		p.begin("the names of the metrics")
		p.note("%s", strings.Join(p.metrics(), "\n"))
	}},
	{name: "operator-admin-without-token", about: "Without an admin token the administration is not there.", config: sharedHost, play: func(p *play) {
		p.admin("sessions", "\nGET /admin/sessions?frontend=shop&subject=ada HTTP/1.1\nHost: admin\nAuthorization: Bearer x\nConnection: close")
	}},
	{name: "drain-delay", about: "During drain.delay serving goes on, but nothing is ready; a second signal ends at once.", config: changed(sameOrigin, "delay: 0s", "delay: 10m"), play: func(p *play) {
		p.call("before", "\nGET /healthz HTTP/1.1\nHost: any")
		p.signal()
		p.program.until("a drain", func(lines []string) bool { return len(withMessage(lines, "draining")) > 0 })
		p.call("health_path", "\nGET /healthz HTTP/1.1\nHost: any")
		p.admin("readiness", "\nGET /readyz HTTP/1.1\nHost: admin\nConnection: close")
		p.admin("life", "\nGET /livez HTTP/1.1\nHost: admin\nConnection: close")
		p.call("a call", "\nGET /bff/session HTTP/1.1\nHost: shop.example.com")
		p.begin("a second signal")
		p.note("exit code %d", p.end())
	}},
	{name: "drain-kept-connections", about: "Behind the delay calls on kept connections get their answer with Connection: close.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		held := make(chan struct{})
		p.api.does("GET /base/v1/thing", func(c *apiCall) { <-held; c.write(wire(plain)) })
		kept, socket, busy := p.dial(p.program.public), p.dial(p.program.public), p.dial(p.program.public)
		for _, c := range []*browser{kept, socket} {
			c.send(wire("\nGET /healthz HTTP/1.1\nHost: any"))
			c.read()
		}
		p.flush(2)
		p.begin("a call at work when the drain begins, and two on kept connections")
		busy.send(wire(getThing))
		p.sees(p.api, 1)
		p.signal()
		p.draining()
		kept.send(wire(whoami))
		kept.read()
		socket.send(wire(handshake))
		socket.read()
		close(held)
		busy.read()
		p.flush(3)
		p.note("exit code %d", p.wait())
	}},
	{name: "drain-streams", about: "A drain ends event streams between two events, and WebSockets with 1001.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		p.begin("both are open when the drain begins")
		events, socket := p.events(nil), p.socket(func(*apiCall) {})
		p.signal()
		socket.frames(len(closed1001))
		_ = socket.Close()
		events.finish(events.open)
		p.flush(2)
		p.note("exit code %d", p.wait())
	}},
}

// end sends a signal and waits for the process; wait does not send one.
func (p *play) end() int {
	p.ended = true
	return p.program.end()
}

func (p *play) wait() int {
	p.t.Helper()
	p.ended = true
	select {
	case <-p.program.exited:
	case <-time.After(2 * patience):
		p.t.Fatal("the process does not end")
	}
	return p.program.ProcessState.ExitCode()
}

// metrics are the names and types of the program's own metrics.
func (p *play) metrics() (names []string) {
	c := p.dial(p.program.admin)
	blocks := len(p.blocks)
	c.send(wire("\nGET /metrics HTTP/1.1\nHost: admin\nConnection: close"))
	m := c.read()
	p.blocks = p.blocks[:blocks]
	for line := range strings.SplitSeq(m.body.String(), "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE coatcheck_"); ok {
			names = append(names, "coatcheck_"+name)
		}
	}
	slices.Sort(names)
	return names
}
