package main

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/command"

	"github.com/urfave/cli/v3"
)

// apikeyCommand makes, lists, rotates and revokes keys of programs.
func apikeyCommand(p *command.Program) *cli.Command {
	at := &cli.StringFlag{Name: "admin", Value: "http://127.0.0.1:9090", Usage: "`URL` of the admin listener; its token is read from COATCHECK_ADMIN_TOKEN"}
	caller := &cli.StringFlag{Name: "caller", Usage: "`NAME` of the caller"}
	commands := []*cli.Command{
		{Name: "new", Usage: "make a key; it is printed once", Flags: []cli.Flag{at, caller,
			&cli.StringFlag{Name: "label", Usage: "`TEXT` by which people know the key"},
			&cli.DurationFlag{Name: "expires", Usage: "`DURATION` that the key lives"},
			&cli.BoolFlag{Name: "offline", Usage: "make a key for the configuration, without a running process"}},
			Action: func(ctx context.Context, c *cli.Command) error { return newKey(ctx, p, c) }},
		{Name: "list", Usage: "list keys that were made at run time", Flags: []cli.Flag{at, caller},
			Action: func(ctx context.Context, c *cli.Command) error {
				return p.APIKeyList(ctx, c.String("admin"), c.String("caller"))
			}},
		{Name: "rotate", Usage: "make a key in the place of another", ArgsUsage: "ID", Flags: []cli.Flag{at,
			&cli.DurationFlag{Name: "overlap", Value: 24 * time.Hour, Usage: "`DURATION` that the old key lives on"}},
			Action: func(ctx context.Context, c *cli.Command) error {
				if c.Args().Len() != 1 || c.Duration("overlap") < 0 {
					return errors.New("rotate takes the id of one key, and an overlap that is not negative")
				}
				return p.APIKeyRotate(ctx, c.String("admin"), c.Args().First(), c.Duration("overlap"))
			}},
		{Name: "revoke", Usage: "end a key", ArgsUsage: "ID", Flags: []cli.Flag{at},
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
	return &cli.Command{Name: "apikey", Usage: "make, list, rotate and revoke keys of programs", Commands: commands,
		Action: func(_ context.Context, c *cli.Command) error {
			return errors.New("apikey takes one of: new, list, rotate, revoke")
		}}
}

func newKey(ctx context.Context, p *command.Program, c *cli.Command) error {
	switch {
	case c.String("caller") == "":
		return errors.New("--caller is missing")
	case c.Duration("expires") < 0:
		return errors.New("--expires is negative")
	case !c.Bool("offline"):
		return p.APIKeyNew(ctx, c.String("admin"), command.NewAPIKey{Caller: c.String("caller"), Label: c.String("label"), Expires: c.Duration("expires")})
	case c.IsSet("admin") || c.IsSet("label") || c.IsSet("expires"):
		return errors.New("--offline makes a key for the file, which has no --admin, --label or --expires")
	}
	return p.APIKeyOffline()
}
