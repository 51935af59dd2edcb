package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coatcheck/bff/command"

	"github.com/urfave/cli/v3"
)

// apikeyCommand makes, lists, rotates and revokes keys of programs.
func apikeyCommand(p *command.Program) *cli.Command {
	at := &cli.StringFlag{Name: "admin", Value: "http://127.0.0.1:9090", Usage: "`URL` of the admin listener; its token is read from COATCHECK_ADMIN_TOKEN"}
	caller := &cli.StringFlag{Name: "caller", Usage: "`NAME` of the caller"}
	commands := []*cli.Command{
		{Name: "new", Usage: "create a key; it is printed once", Flags: []cli.Flag{at, caller,
			&cli.StringFlag{Name: "label", Usage: "`TEXT` that describes the key"},
			&cli.DurationFlag{Name: "expires", Usage: "`DURATION` until the key expires"},
			&cli.BoolFlag{Name: "offline", Usage: "create a key for the configuration file, without a running process"}},
			Action: func(ctx context.Context, c *cli.Command) error { return newKey(ctx, p, c) }},
		{Name: "list", Usage: "list the keys created at run time", Flags: []cli.Flag{at, caller},
			Action: func(ctx context.Context, c *cli.Command) error {
				return p.APIKeyList(ctx, c.String("admin"), c.String("caller"))
			}},
		{Name: "rotate", Usage: "replace a key with a new one", ArgsUsage: "ID", Flags: []cli.Flag{at,
			&cli.DurationFlag{Name: "overlap", Value: 24 * time.Hour, Usage: "`DURATION` for which the old key still works"}},
			Action: func(ctx context.Context, c *cli.Command) error {
				if c.Args().Len() != 1 || c.Duration("overlap") < 0 {
					return errors.New("rotate takes the id of one key; --overlap must not be negative")
				}
				return p.APIKeyRotate(ctx, c.String("admin"), c.Args().First(), c.Duration("overlap"))
			}},
		{Name: "revoke", Usage: "revoke a key", ArgsUsage: "ID", Flags: []cli.Flag{at},
			Action: func(ctx context.Context, c *cli.Command) error {
				if c.Args().Len() != 1 {
					return errors.New("revoke takes the id of one key")
				}
				return p.APIKeyRevoke(ctx, c.String("admin"), c.Args().First())
			}},
	}
	for _, c := range commands {
		c.OnUsageError = quiet
		if c.ArgsUsage == "" {
			c.Action = noArguments(c.Action)
		}
	}
	return &cli.Command{Name: "apikey", ArgsUsage: "new|list|rotate|revoke", UsageText: "coatcheck apikey new|list|rotate|revoke [options]", Usage: "create, list, rotate and revoke API keys of programs", Commands: commands,
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return fmt.Errorf("unknown subcommand %q: new, list, rotate or revoke", name)
			}
			return errors.New("apikey needs a subcommand: new, list, rotate or revoke")
		}}
}

func newKey(ctx context.Context, p *command.Program, c *cli.Command) error {
	switch {
	case c.String("caller") == "":
		return errors.New("--caller is required")
	case c.Duration("expires") < 0:
		return errors.New("--expires must not be negative")
	case !c.Bool("offline"):
		return p.APIKeyNew(ctx, c.String("admin"), command.NewAPIKey{Caller: c.String("caller"), Label: c.String("label"), Expires: c.Duration("expires")})
	case c.IsSet("admin") || c.IsSet("label") || c.IsSet("expires"):
		return errors.New("--offline creates a key for the configuration file: --admin, --label and --expires do not apply")
	}
	return p.APIKeyOffline()
}
