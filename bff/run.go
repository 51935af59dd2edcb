package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"coatcheck/configs"

	docs "github.com/urfave/cli-docs/v3"
	"github.com/urfave/cli/v3"
)

// Exit codes.
const (
	exitDone    = 0
	exitRefused = 1 // bad configuration, not ready
	exitUsage   = 2
)

// Stamped by the linker for releases.
var (
	version = "dev"
	commit  = ""
)

// errRefused ends the process with exitRefused; what there is to say was said.
var errRefused = errors.New("refused")

// program is what a command needs of the world.
type program struct {
	getenv         func(string) (string, bool)
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{getenv, stdin, stdout, stderr}
	err := p.command().Run(ctx, args)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errRefused):
		return exitRefused
	}
	fmt.Fprintln(stderr, "coatcheck:", err)
	var failed failure
	if errors.As(err, &failed) {
		return exitRefused
	}
	fmt.Fprintln(stderr, "Run 'coatcheck --help' for usage.")
	return exitUsage
}

// failure is an error of the work, not of the command line.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func (p *program) command() *cli.Command {
	file := &cli.StringFlag{Name: "config", Value: "coatcheck.yaml", Usage: "configuration `FILE`"}
	root := &cli.Command{
		Name: "coatcheck", Usage: "keeps an API's tokens out of the browser",
		Writer: p.stdout, ErrWriter: p.stderr, HideVersion: true, Suggest: true, DisableSliceFlagSeparator: true,
		EnableShellCompletion: true, // coatcheck completion bash|zsh|fish|pwsh
		ExitErrHandler:        func(context.Context, *cli.Command, error) {},
		OnUsageError:          quiet,
		Action:                p.noCommand,
		Commands: []*cli.Command{
			{Name: "serve", Usage: "serve", Flags: []cli.Flag{file}, Action: p.serve},
			{Name: "demo", Usage: "everything in one process, nothing to set up", Flags: demoFlags(), Action: p.demo},
			{Name: "check", Usage: "say every fault of a configuration", Flags: []cli.Flag{file,
				&cli.BoolFlag{Name: "online", Usage: "also dial the store and the upstreams"}}, Action: p.check},
			{Name: "explain", Usage: "tell what would happen to a request, and why", ArgsUsage: "METHOD URL",
				Flags: explainFlags(file), Action: p.explain},
			{Name: "try", Usage: "sign in once at the real API, and show how its mapping reads the answers", Flags: tryFlags(file), Action: p.try},
			{Name: "keygen", Usage: "print a new sealing key", Action: p.keygen},
			{Name: "healthcheck", Usage: "exit 0 if ready", Flags: []cli.Flag{
				&cli.StringFlag{Name: "admin", Value: "http://127.0.0.1:9090", Usage: "`URL` of the admin listener"}}, Action: p.healthcheck},
			{Name: "schema", Usage: "print the JSON Schema of the configuration", Action: p.schema},
			{Name: "man", Usage: "print the manual page", Action: p.man},
			{Name: "version", Usage: "print version, commit and Go version", Action: p.version},
		},
	}
	for _, c := range root.Commands {
		c.OnUsageError = quiet
		if c.ArgsUsage == "" {
			c.Action = noArguments(c.Action)
		}
	}
	return root
}

// quiet returns usage errors as they are, for run to print once.
func quiet(_ context.Context, _ *cli.Command, err error, _ bool) error { return err }

func noArguments(action cli.ActionFunc) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		if c.Args().Present() {
			return fmt.Errorf("%s takes no argument %q", c.Name, c.Args().First())
		}
		return action(ctx, c)
	}
}

func (p *program) noCommand(_ context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return fmt.Errorf("no command %q", c.Args().First())
	}
	_ = cli.ShowRootCommandHelp(c)
	return errors.New("a command is needed")
}

func (p *program) keygen(context.Context, *cli.Command) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	fmt.Fprintln(p.stdout, base64.StdEncoding.EncodeToString(key))
	return nil
}

func (p *program) schema(context.Context, *cli.Command) error {
	_, err := p.stdout.Write(configs.Schema())
	return err
}

func (p *program) man(_ context.Context, c *cli.Command) error {
	page, err := docs.ToManWithSection(c.Root(), 1)
	if err != nil {
		return failure{err}
	}
	_, err = io.WriteString(p.stdout, page)
	return err
}

func (p *program) version(context.Context, *cli.Command) error {
	name, from := buildInfo()
	fmt.Fprintf(p.stdout, "coatcheck %s (%s) %s\n", name, from, runtime.Version())
	return nil
}

// buildInfo is the version and commit of this program: what the linker stamped, or else what
// the Go tool knew when it built the program from a checkout or a module.
var buildInfo = sync.OnceValues(func() (string, string) {
	info, _ := debug.ReadBuildInfo()
	return describe(version, commit, info)
})

func describe(version, commit string, info *debug.BuildInfo) (string, string) {
	if info == nil {
		info = new(debug.BuildInfo)
	}
	known := map[string]string{}
	for _, s := range info.Settings {
		known[s.Key] = s.Value
	}
	if version == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	if commit == "" && known["vcs.revision"] != "" {
		commit = known["vcs.revision"]
		if known["vcs.modified"] == "true" {
			commit += ", modified"
		}
	}
	return version, cmp.Or(commit, "unknown commit")
}

// direct asks the admin listener itself. The default transport would send the question,
// and the admin token, through a proxy that HTTP_PROXY names.
var direct http.RoundTripper = &http.Transport{}

// healthcheck asks the admin listener, for containers without a shell.
func (p *program) healthcheck(ctx context.Context, c *cli.Command) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	at, err := url.Parse(c.String("admin"))
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return errors.New("--admin is not a URL, such as http://127.0.0.1:9090")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath("readyz").String(), nil)
	if err != nil {
		return failure{err}
	}
	answer, err := (&http.Client{Transport: direct}).Do(request)
	if err != nil {
		return failure{err}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return failure{fmt.Errorf("not ready: %s", answer.Status)}
	}
	return nil
}
