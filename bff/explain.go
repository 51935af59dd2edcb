package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/urfave/cli/v3"

	"coatcheck/bff/command"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

func explainFlags(file cli.Flag) []cli.Flag {
	return []cli.Flag{file,
		&cli.StringSliceFlag{Name: "H", Usage: "`HEADER` of the request, 'Name: value'; may be given often"},
		&cli.StringFlag{Name: "peer", Value: "127.0.0.1", Usage: "`ADDRESS` the connection comes from"}}
}

// explain tells the decision trail of one request, offline.
func (p *program) explain(_ context.Context, c *cli.Command) error {
	if c.Args().Len() != 2 {
		return errors.New("explain takes a method and a URL: explain GET https://shop.example.com/api/items")
	}
	peer, err := netip.ParseAddr(c.String("peer"))
	if err != nil {
		return errors.New("--peer is no address")
	}
	config, faults := configs.Load(c.String("config"), p.getenv)
	if p.report(faults) > 0 {
		return errRefused
	}
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		return failure{err}
	}
	defer ups.Close()
	told, err := command.Explain(config, ups, command.Question{
		Method: c.Args().Get(0), URL: c.Args().Get(1), Headers: c.StringSlice("H"), Peer: peer})
	if err != nil {
		return err // the question is at fault
	}
	for _, line := range told.Lines {
		fmt.Fprintln(p.stdout, line)
	}
	return nil
}
