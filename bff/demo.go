package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"

	"coatcheck/bff/server"
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

// demo runs everything in one process: an API on another origin, two frontends, and
// Coatcheck between them.
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
	pages := &server.Pages{Files: web.Demo(), CSP: demoCSP}
	h, err := p.build(config, map[string]*server.Pages{"shop": pages, "admin": pages})
	if err != nil {
		return failure{err}
	}
	h.public = public
	if h.operators, err = net.Listen("tcp", config.Admin.Listen); err != nil {
		return failure{err}
	}
	ended := make(chan error, 1)
	go func() { ended <- demo.Serve(ctx, api, demo.Options{API: c.String("api")}) }() // ends with ctx
	greet(p.stdout, port, api.Addr().String(), h.operators.Addr().String())
	p.greetAPI(c.String("api"))
	err = h.run(ctx)
	cancel()
	<-ended
	return err
}

// demoEnv answers the variables of configs/demo.yaml.
func (p *program) demoEnv(port, api, store string) func(string) (string, bool) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	values := map[string]string{"DEMO_PORT": port, "DEMO_API": "http://" + api, "DEMO_STORE": store,
		"API_CLIENT_ID": "demo", "API_CLIENT_SECRET": "demo", "API_AUDIENCE": "https://api.example.net", "API_KEY": "demo",
		"DEMO_KEY": base64.StdEncoding.EncodeToString(key)}
	return func(name string) (string, bool) {
		if v, ok := values[name]; ok {
			return v, true
		}
		return p.getenv(name)
	}
}

// remark says what is special about somebody.
func remark(p demo.Person) string {
	switch {
	case p.Locked:
		return "   (locked, to see what a refusal looks like)"
	case p.SecondFactor:
		return "   (then the code " + demo.Code + ")"
	}
	return ""
}

// greet tells a newcomer what to do next.
func greet(w io.Writer, port, api, admin string) {
	var b strings.Builder
	b.WriteString("\nCoatcheck demo: two pages, one API on another origin, no token in the browser.\n\n")
	for _, f := range []string{"shop", "admin"} {
		fmt.Fprintf(&b, "  %-7s http://%s.coatcheck.localhost:%s\n", f, f, port)
		for _, person := range demo.People() {
			if person.Frontend == f {
				fmt.Fprintf(&b, "          %-22s %s\n", person.Email, person.Password+remark(person))
			}
		}
	}
	fmt.Fprintf(&b, "\n  curl    http://localhost:%s        (the shop, where curl keeps Secure cookies)\n", port)
	fmt.Fprintf(&b, "  the API http://%s   (you need not call it)\n  health  http://%s/readyz\n", api, admin)
	b.WriteString("\nSign in at both pages at once: they do not disturb each other. Ctrl-C ends the demo.\n\n")
	_, _ = io.WriteString(w, b.String())
}
