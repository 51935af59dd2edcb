// Package server speaks to browsers: it stands between the gate and the rooms that answer.
//
// Every request walks through [Server.serve]: its facts and the decision (package
// routing), the room that answers (account, pages, proxy), the headers that every
// answer carries, the one log line. Errors become answers in one table ([ProblemOf]).
//
// Below it stands package gate, which lets only well-formed requests in. Answers of an API
// leave as bytes ([exchange.send]); what Coatcheck answers itself goes through Fiber
// ([exchange.sendOwn]). Nothing of Fiber's own reading of a request is used: paths,
// headers, cookies and bodies come from the gate, as they were sent. No other room
// knows fasthttp or Fiber.
package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"coatcheck/bff/account"
	"coatcheck/bff/apikey"
	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/gate"
	"coatcheck/bff/metrics"
	"coatcheck/bff/pages"
	"coatcheck/bff/proxy"
	"coatcheck/bff/session"
	"coatcheck/bff/trace"
	"coatcheck/configs"
	"coatcheck/upstream/forward"
	"coatcheck/upstream/signin"
)

// Options are what a Server is made of. Config, Manager, Upstreams and Log are required.
type Options struct {
	// Config is what is served; Upstreams was made of it.
	Config *configs.Config
	// Manager keeps the sessions.
	Manager   *session.Manager
	Upstreams *signin.Set
	// Log gets events and faults. Lines of calls go to Access.
	Log *slog.Logger
	// Access takes one JSON line per call, each in one Write; nil: none.
	Access io.Writer
	// Tracer traces; nil: nobody does.
	Tracer *trace.Tracer
	// Metrics counts; nil: nobody does.
	Metrics *metrics.Metrics
	// Programs is what the process knows of programs that call; nil: only what the
	// configuration says; no event can be remembered.
	Programs *auth.Programs
	// Client is the text of /bff/client.js.
	Client []byte
	// Pages are built-in pages by frontend name, for the demo.
	Pages map[string]*pages.Pages
}

// Server answers the public listener.
type Server struct {
	current    atomic.Pointer[snapshot]
	manager    *session.Manager
	log        *slog.Logger
	access     io.Writer
	metrics    *metrics.Metrics
	tracer     *trace.Tracer // nil: off
	programs   *auth.Programs
	client     *account.Asset
	builtIn    map[string]*pages.Pages
	own        fasthttp.RequestHandler // of Fiber, for what Coatcheck answers itself
	leaving    atomic.Bool             // load balancers see "not ready"
	draining   atomic.Bool             // every answer is the last of its connection
	background call.Work
	open       proxy.Open
	listener   atomic.Pointer[gate.Listener]
	guarded    call.Pace    // of lines about refusals of the guard
	failing    atomic.Int64 // when the want of descriptors was last told of, Unix seconds
	warned     atomic.Int64 // when X-Forwarded-For of a stranger was last warned of, Unix seconds
}

// New makes a server; it listens nowhere yet.
func New(o Options) (*Server, error) {
	if o.Metrics == nil {
		o.Metrics = metrics.New("", "") // counted, and asked by nobody
	}
	if o.Programs == nil {
		o.Programs = auth.NewPrograms(apikey.NewTable(nil, 0, apikey.Events{}), nil, nil, "")
	}
	s := &Server{manager: o.Manager, programs: o.Programs, log: o.Log, access: o.Access, metrics: o.Metrics, tracer: o.Tracer, builtIn: o.Pages,
		client: account.NewAsset(o.Client, "text/javascript; charset=utf-8")}
	first, err := s.newSnapshot(o.Config, o.Upstreams)
	if err != nil {
		return nil, err
	}
	s.current.Store(first)
	s.programs.Use(o.Config)
	s.own = newOwn()
	return s, nil
}

// Serve answers connections of l until Shutdown. It returns nil at once when Shutdown
// begins; wait for Shutdown, not for Serve.
func (s *Server) Serve(l net.Listener) error {
	in := gate.Listen(l, s.gateOptions())
	s.listener.Store(in)
	in.SetOptions(s.gateOptions()) // a reload may have come before the line above
	if s.draining.Load() {         // Shutdown may have looked before it was there
		_ = in.Close()
	}
	in.Serve()
	return nil
}

// gateOptions are the bounds of the configuration in use.
func (s *Server) gateOptions() gate.Options {
	config := s.current.Load().config
	c := config.Limits
	return gate.Options{Header: int(c.Header), HeaderTimeout: c.HeaderTimeout,
		BodyIdle: c.BodyIdle, KeepAlive: c.KeepAlive, Serve: s.serve, Methods: config.UnusualMethods(), Refused: s.logRefusal, Failing: s.logFailing,
		Faulted: func(stack []byte) { s.events().Fault("", stack) }}
}

// Prepare makes another configuration ready, and returns what takes it into use. All
// that can fail has happened by then; without a call of use nothing has changed. Calls
// at work finish with the old configuration, and its connections to APIs are closed a
// minute later.
func (s *Server) Prepare(c *configs.Config, ups *signin.Set) (use func(), err error) {
	next, err := s.newSnapshot(c, ups)
	if err != nil {
		return nil, err
	}
	return func() {
		s.programs.Use(c)
		time.AfterFunc(time.Minute, s.current.Swap(next).close) // calls that have just begun still dial
		if in := s.listener.Load(); in != nil {
			in.SetOptions(s.gateOptions())
		}
	}, nil
}

// EndKey ends the streams and WebSockets that began with a key of a program. It does not
// wait.
func (s *Server) EndKey(id string) { s.open.EndKey(id) }

// Transports tells how the ways to the APIs are, by upstream.
func (s *Server) Transports() map[string]forward.TransportStats {
	return s.current.Load().proxy.Transports()
}

// MarkNotReady makes health_path say that the process is ending; serving goes on as before.
func (s *Server) MarkNotReady() { s.leaving.Store(true) }

// Shutdown refuses new connections and waits for the calls at work, and for what
// goes on behind them, as long as ctx lasts. Every answer from now on is the last of
// its connection.
func (s *Server) Shutdown(ctx context.Context) error {
	s.MarkNotReady()
	s.draining.Store(true)
	in := s.listener.Load()
	if in != nil { // first of all: nothing below may keep the door open
		if err := in.Close(); err != nil {
			s.log.Warn("listener not closed", "error", err)
		}
	}
	s.open.End()
	if in != nil {
		s.waitIdle(ctx, in)
		in.EndIdle()
	}
	err := s.finish(ctx, in)
	if in != nil {
		in.Stop()
	}
	return err
}

// finish waits for the calls at work, for what goes on behind them, and for connections
// that read on behind their last answer, but never longer than ctx.
func (s *Server) finish(ctx context.Context, in *gate.Listener) error {
	done := make(chan struct{})
	go func() { // ends with the last of them; each has a deadline
		if in != nil { // first: a call at work may begin what the others wait for
			<-in.Empty()
		}
		s.open.Wait()
		s.background.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// idleGrace is how long kept connections without a call stay open at the end, and half
// of drain.timeout at most. A reverse proxy that sends a call along one just as it is closed
// cannot tell whether the call was taken (RFC 9112 §9.5), so whoever calls often
// meets "Connection: close" first.
const idleGrace = 3 * time.Second

// waitIdle lets the connections that are open finish what they have begun.
func (s *Server) waitIdle(ctx context.Context, in *gate.Listener) {
	select {
	case <-in.Empty():
	case <-time.After(min(idleGrace, s.current.Load().config.Drain.Timeout/2)):
	case <-ctx.Done():
	}
}

// SignOut tells the API or the provider that gave it, best effort, that nobody will use
// this credential of an ended session any more.
func (s *Server) SignOut(ctx context.Context, ended *session.Session, c *credential.Credential) {
	n := s.current.Load()
	if f := n.table.Frontend(ended.Frontend); f != nil {
		n.account.SignOut(ctx, f, ended, c)
	}
}

func (s *Server) events() call.Events { return call.Events{Log: s.log, Metrics: s.metrics} }
