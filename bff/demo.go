package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"coatcheck/bff/credential"
	"coatcheck/bff/pages"
	"coatcheck/configs"
	"coatcheck/upstream/demo"
	"coatcheck/web"

	"github.com/urfave/cli/v3"
)

func demoFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "listen", Value: "localhost:8080", Usage: "`ADDRESS` of the demo; its pages' addresses have its port"},
		&cli.StringFlag{Name: "store", Value: "memory://", Usage: "session store `URL`"},
		&cli.StringFlag{Name: "api", Usage: "`NAME` of an API that the demo answers as: " + strings.Join(demo.Speaks(), ", ")},
	}
}

// demoCSP lets the demo's pages do what they must and nothing else.
const demoCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// demo runs everything in one process: an API on another origin, two frontends and
// Coatcheck between them, and an attacker's page beside them.
func (p *program) demo(ctx context.Context, c *cli.Command) error {
	text, err := demoConfig(c.String("api"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return failure{err}
	}
	public, err := net.Listen("tcp", c.String("listen"))
	if err != nil {
		return failure{fmt.Errorf("the demo's address cannot be had; another one: --listen localhost:8081: %w", err)}
	}
	_, port, err := net.SplitHostPort(public.Addr().String())
	if err != nil {
		return failure{err}
	}
	config, faults := configs.Parse("demo.yaml", text, p.demoEnv(port, api.Addr().String(), c.String("store")), nil)
	if p.report(faults) > 0 {
		return errRefused
	}
	log := &ledger{out: p.stderr, paint: p.painted(p.stderr)}
	h, err := (&program{p.getenv, p.stdin, p.stdout, log}).build(config, demoPages())
	if err != nil {
		return failure{err}
	}
	if h.operators, err = net.Listen("tcp", config.Admin.Listen); err != nil {
		return failure{err}
	}
	door := newDoor(public, evilHost+":"+port)
	h.public = door
	o := demo.Options{API: c.String("api"), Revoke: revoker(h.operators.Addr().String(), config.Admin.Token)}
	var beside sync.WaitGroup
	beside.Go(func() { _ = demo.Serve(ctx, api, o) })     // ends with ctx
	beside.Go(func() { serveEvil(ctx, door, port, log) }) // ends with ctx, or with the door
	greeting{port: port, api: api.Addr().String(), admin: h.operators.Addr().String(), as: c.String("api"), paint: p.painted(p.stdout)}.write(p.stdout)
	err = h.run(ctx)
	cancel()
	beside.Wait()
	return err
}

func demoPages() map[string]*pages.Pages {
	files := &pages.Pages{Files: web.Demo(), CSP: demoCSP}
	return map[string]*pages.Pages{"shop": files, "admin": files}
}

// revoker ends a person's sessions by the operators' interface, as a program of the
// API's owner would.
func revoker(admin string, token credential.Secret) func(context.Context, demo.Person) error {
	return func(ctx context.Context, p demo.Person) error {
		query := url.Values{"frontend": {p.Frontend}, "subject": {p.ID}}
		r, err := http.NewRequestWithContext(ctx, http.MethodDelete, "http://"+admin+"/admin/sessions?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
		answer, err := (&http.Client{Transport: direct}).Do(r)
		if err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("the operators' interface answered %d", answer.StatusCode)
		}
		return errors.Join(err, answer.Body.Close())
	}
}

// demoEnv answers the variables of configs/demo.yaml.
func (p *program) demoEnv(port, api, store string) func(string) (string, bool) {
	values := map[string]string{"DEMO_PORT": port, "DEMO_API": "http://" + api, "DEMO_STORE": store,
		"API_CLIENT_ID": "demo", "API_CLIENT_SECRET": "demo", "API_AUDIENCE": "https://api.example.net", "API_KEY": "demo",
		"DEMO_KEY": randomKey(), "DEMO_ADMIN_TOKEN": randomKey()}
	return func(name string) (string, bool) {
		if v, ok := values[name]; ok {
			return v, true
		}
		return p.getenv(name)
	}
}

func randomKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	return base64.StdEncoding.EncodeToString(key)
}
