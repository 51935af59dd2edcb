package demo

import (
	"context"
	"net"
	"sync"

	"coatcheck/bff/command"
	"coatcheck/bff/process"
	"coatcheck/bff/terminal"
	"coatcheck/configs"
	demoapi "coatcheck/upstream/demo"
)

// stage is all that stands in the demo, with its listeners open.
type stage struct {
	api, public, operators net.Listener
	port                   string // of the pages
	porter                 *porter
	programs               *programs // nil: there are none
	config                 *configs.Config
	log                    *callLog
	coatcheck              *process.Process
}

// setStage opens the listeners and makes everybody, in the order in which they need to
// know of each other.
func setStage(p *command.Program, o Options) (*stage, error) {
	s := &stage{programs: newPrograms(), log: &callLog{out: p.Stderr, paint: terminal.Of(p.Stderr, p.Getenv)}}
	if err := s.listen(o.Listen); err != nil {
		return nil, command.Failed(err)
	}
	var err error
	if s.config, err = configure(p, o, s.variables()); err != nil {
		return nil, err
	}
	if o.API != "" {
		s.programs = nil // what stands in for another API knows neither
	} else {
		s.programs.door, s.programs.client = "http://programs.coatcheck.localhost:"+s.port, callerOf(s.public.Addr())
	}
	if err = s.porter.know(s.port, s.public.Addr()); err != nil {
		return nil, command.Failed(err)
	}
	s.coatcheck, err = process.New(process.Options{Config: s.config, Getenv: p.Getenv, Log: s.log, Pages: applications(), Version: o.Version, Commit: o.Commit})
	if err != nil {
		return nil, command.Failed(err)
	}
	if s.operators, err = net.Listen("tcp", s.config.Admin.Listen); err != nil {
		return nil, command.Failed(err)
	}
	return s, nil
}

func (s *stage) listen(public string) (err error) {
	if s.api, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	if s.public, err = net.Listen("tcp", public); err != nil {
		return listenError(public, err)
	}
	if _, s.port, err = net.SplitHostPort(s.public.Addr().String()); err != nil {
		return err
	}
	s.porter, err = newPorter(s.port, command.NewKey())
	return err
}

// variables are those of configs/demo.yaml that only the running demo knows.
func (s *stage) variables() map[string]string {
	return map[string]string{"DEMO_PORT": s.port, "DEMO_API": "http://" + s.api.Addr().String(),
		"DEMO_ISSUER": s.porter.issuer, "DEMO_ISSUER_AT": s.porter.direct.Addr().String(), "DEMO_CLIENT_SECRET": s.porter.secret,
		"DEMO_ROBOT": s.programs.robot, "DEMO_SPREADSHEET": s.programs.hash(), "DEMO_PHONE": s.programs.phone.text()}
}

// play lets everybody do their part until ctx ends or a signal comes.
func (s *stage) play(ctx context.Context, o Options, begun func()) error {
	ctx, cancel := context.WithCancel(ctx)
	sorted := newSorter(s.public, evilHost+":"+s.port, porterHost+":"+s.port)
	s.coatcheck.Use(sorted, s.operators)
	operators := desk{s.operators.Addr().String(), s.config.Admin.Token}
	options := demoapi.Options{API: o.API, Provider: known{s.porter}, People: append(demoapi.People(), mallory), Revoke: operators.endSessions}
	if s.programs != nil {
		options.Robot, options.Programs = s.programs.robot, s.programs
	}
	thief := &burglar{client: callerOf(s.public.Addr()), port: s.port, porter: s.porter, prey: s.programs, log: s.log, desk: operators}
	var beside sync.WaitGroup
	beside.Go(func() { _ = demoapi.Serve(ctx, s.api, options) }) // ends with ctx
	beside.Go(func() { serveEvil(ctx, sorted.sides[0], thief) }) // ends with ctx, or with sorted
	beside.Go(func() { s.porter.serve(ctx, sorted.sides[1]) })   // ends with ctx
	begun()
	err := s.coatcheck.Run(ctx)
	cancel()
	beside.Wait()
	return command.Failed(err)
}
