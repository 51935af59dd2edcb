// Command coatcheck is a backend for frontends: it stands on a single-page
// application's own site, keeps the tokens of an API on another domain in sessions
// on the server, and gives the browser nothing but a cookie that opens them.
//
// This package is the command line and nothing else: flags, and a table of what each
// command calls. Package process serves, package command has the other commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"coatcheck/bff/command"
	"coatcheck/bff/demo"
	"coatcheck/bff/dev"
	"coatcheck/bff/explain"
	"coatcheck/bff/process"
	"coatcheck/configs"
	"coatcheck/configs/read"
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

func main() {
	os.Exit(run(context.Background(), os.Args, os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	root := table(&command.Program{Getenv: getenv, Stdin: stdin, Stdout: stdout, Stderr: stderr})
	err := root.Run(ctx, args)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, command.ErrRefused):
		return exitRefused
	}
	fmt.Fprintln(stderr, "coatcheck:", plainUsage(root, err))
	var failed command.Failure
	if errors.As(err, &failed) {
		return exitRefused
	}
	fmt.Fprintf(stderr, "Run '%s --help' for usage.\n", helpful(root, args))
	return exitUsage
}

// table is the command table.
func table(p *command.Program) *cli.Command {
	file := &cli.StringFlag{Name: "config", Value: "coatcheck.yaml", Usage: "configuration `FILE`"}
	root := &cli.Command{
		Name: "coatcheck", Usage: "keeps an API's tokens out of the browser",
		Writer: p.Stdout, ErrWriter: p.Stderr, HideVersion: true, Suggest: true, DisableSliceFlagSeparator: true,
		Description:                     "Flags take one dash or two. The documentation is in docs/README.md of the source and of every release archive.",
		EnableShellCompletion:           true, // coatcheck completion bash|zsh|fish|pwsh
		ConfigureShellCompletionCommand: showCompletion,
		Flags:                           []cli.Flag{&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version"}},
		ExitErrHandler:                  func(context.Context, *cli.Command, error) {},
		OnUsageError:                    quiet,
		Action:                          noCommand(p),
		Commands:                        append(withConfiguration(p, file), withoutConfiguration(p)...),
	}
	for _, c := range root.Commands {
		c.OnUsageError = quiet
		if c.ArgsUsage == "" {
			c.Action = noArguments(c.Action)
		}
	}
	describe(root)
	return root
}

// withConfiguration are the commands that read a configuration.
func withConfiguration(p *command.Program, file cli.Flag) []*cli.Command {
	return []*cli.Command{
		{Name: "serve", Usage: "run the server", Flags: []cli.Flag{file}, Action: func(ctx context.Context, c *cli.Command) error { return serve(ctx, p, c.String("config")) }},
		{Name: "dev", Usage: "run the server for development on this machine: log for people, reload on change", Flags: []cli.Flag{file},
			Action: func(ctx context.Context, c *cli.Command) error {
				b := command.BuildOf(version, commit)
				return dev.Run(ctx, p, dev.Options{File: c.String("config"), Version: b.Version, Commit: b.Commit})
			}},
		{Name: "demo", Usage: "run the demo: everything in one process, nothing to set up", Flags: demoFlags(), Action: func(ctx context.Context, c *cli.Command) error {
			b := command.BuildOf(version, commit)
			return demo.Run(ctx, p, demo.Options{Listen: c.String("listen"), Store: c.String("store"), API: c.String("api"), Version: b.Version, Commit: b.Commit})
		}},
		{Name: "check", Usage: "validate a configuration", Flags: []cli.Flag{file,
			&cli.BoolFlag{Name: "online", Usage: "also connect to the store, the upstreams and the providers"}},
			Action: func(ctx context.Context, c *cli.Command) error {
				return p.Check(ctx, c.String("config"), c.Bool("online"))
			}},
		{Name: "explain", Usage: "show how a request would be handled, and why", ArgsUsage: "METHOD URL",
			Flags:  explainFlags(file),
			Action: func(_ context.Context, c *cli.Command) error { return explainRequest(p, c) }},
		{Name: "try", Usage: "sign in once at the real API and show what its mapping reads", Flags: tryFlags(file),
			Action: func(ctx context.Context, c *cli.Command) error {
				return p.Try(ctx, command.TryOptions{File: c.String("config"), Upstream: c.String("upstream"), Frontend: c.String("frontend"),
					Way: c.String("way"), Exchange: c.String("exchange"), Account: c.String("account"), Caller: c.String("caller"), To: c.String("to"),
					Provider: c.String("provider"), Listen: c.String("listen"), Paste: c.Bool("paste"),
					Refresh: c.Bool("refresh"), Logout: c.Bool("logout")})
			}},
	}
}

// withoutConfiguration are the others.
func withoutConfiguration(p *command.Program) []*cli.Command {
	return []*cli.Command{
		apikeyCommand(p),
		{Name: "keygen", Usage: "print a new sealing key", Action: func(context.Context, *cli.Command) error { return p.Keygen() }},
		{Name: "healthcheck", Usage: "exit 0 if the process is ready", Flags: []cli.Flag{
			&cli.StringFlag{Name: "admin", Value: "http://127.0.0.1:9090", Usage: "`URL` of the admin listener"}},
			Action: func(ctx context.Context, c *cli.Command) error { return p.Healthcheck(ctx, c.String("admin")) }},
		{Name: "schema", Usage: "print the JSON Schema of the configuration", Action: func(context.Context, *cli.Command) error { return p.Schema() }},
		{Name: "man", Usage: "print the manual page", Action: func(_ context.Context, c *cli.Command) error { return man(p.Stdout, c.Root()) }},
		{Name: "version", Usage: "print version, commit and Go version", Action: func(context.Context, *cli.Command) error {
			return p.Version(command.BuildOf(version, commit))
		}},
	}
}

func demoFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "listen", Value: "localhost:8080", Usage: "`ADDRESS` to listen on; the pages use its port"},
		&cli.StringFlag{Name: "store", Value: "memory://", Usage: "session store `URL`"},
		&cli.StringFlag{Name: "api", Usage: "`NAME` of the API whose dialect the demo API speaks: " + strings.Join(demo.APIs(), ", ")},
	}
}

func explainFlags(file cli.Flag) []cli.Flag {
	return []cli.Flag{file,
		&cli.StringSliceFlag{Name: "H", Usage: "request `HEADER`, 'Name: value'; may be repeated"},
		&cli.StringFlag{Name: "body", Usage: "`FILE` with the request body, for signed calls"},
		&cli.StringFlag{Name: "peer", Value: "127.0.0.1", Usage: "client `ADDRESS` of the connection"}}
}

func tryFlags(file cli.Flag) []cli.Flag {
	return []cli.Flag{file,
		&cli.StringFlag{Name: "upstream", Usage: "upstream `NAME` to sign in at (default: the only one with a login)"},
		&cli.StringFlag{Name: "account", Usage: "account `NAME` of that upstream to sign in with, instead of a person"},
		&cli.StringFlag{Name: "caller", Usage: "caller `NAME`: send a sample call, signed by the caller's own lines, to the running Coatcheck"},
		&cli.StringFlag{Name: "to", Usage: "`URL` of the running Coatcheck (default: the configuration's listen address, on this machine)"},
		&cli.StringFlag{Name: "provider", Usage: "provider `NAME` to sign in at instead"},
		&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8765", Usage: "loopback `ADDRESS` for the provider's redirect"},
		&cli.BoolFlag{Name: "paste", Usage: "use the registered redirect URI and paste the address at which the browser ends"},
		&cli.StringFlag{Name: "frontend", Usage: "frontend `NAME` whose fields are asked for (default: the first that signs in there)"},
		&cli.StringFlag{Name: "way", Usage: "way `NAME` to sign in by, of those that the frontend lists"},
		&cli.StringFlag{Name: "exchange", Usage: "exchange `NAME` to make once signed in, of those that the frontend lists"},
		&cli.BoolFlag{Name: "refresh", Usage: "also refresh the token"},
		&cli.BoolFlag{Name: "logout", Usage: "sign out at the end"}}
}

// serve serves a configuration until a signal. A faulty one is refused before anything
// listens.
func serve(ctx context.Context, p *command.Program, file string) error {
	load := func() (*configs.Config, []configs.Fault) { return read.File(file, p.Getenv) }
	config, faults := load()
	if configs.Refused(faults) {
		p.Report(faults)
		return command.ErrRefused
	}
	b := command.BuildOf(version, commit)
	return command.Failed(process.Serve(ctx, process.Options{Config: config, Load: load, Getenv: p.Getenv, Log: p.Stderr,
		Version: b.Version, Commit: b.Commit}, faults))
}

// explainRequest reads the arguments of explain.
func explainRequest(p *command.Program, c *cli.Command) error {
	if c.Args().Len() != 2 {
		return errors.New("explain takes a method and a URL: explain GET https://shop.example.com/api/items")
	}
	peer, err := netip.ParseAddr(c.String("peer"))
	if err != nil {
		return errors.New("--peer is not an IP address")
	}
	var body []byte
	if name := c.String("body"); name != "" {
		if body, err = os.ReadFile(name); err != nil {
			return command.Failed(err)
		}
	}
	return p.Explain(c.String("config"), explain.RawRequest{Body: body,
		Method: c.Args().Get(0), URL: c.Args().Get(1), Headers: c.StringSlice("H"), Peer: peer})
}

// quiet returns usage errors, for run to print once.
func quiet(_ context.Context, c *cli.Command, err error, _ bool) error { return plainUsage(c, err) }

func noArguments(action cli.ActionFunc) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		if name := c.Args().First(); strings.HasSuffix(name, ".yaml") && c.String("config") != "" {
			return fmt.Errorf("%s takes no arguments; did you mean --config %s?", c.Name, name)
		}
		if c.Args().Present() {
			return fmt.Errorf("%s takes no arguments, got %q", c.Name, c.Args().First())
		}
		return action(ctx, c)
	}
}

// noCommand is what the program does without a command.
func noCommand(p *command.Program) cli.ActionFunc {
	return func(_ context.Context, c *cli.Command) error {
		if c.Bool("version") {
			return p.Version(command.BuildOf(version, commit))
		}
		return unknownCommand(c, c.Args().First())
	}
}
