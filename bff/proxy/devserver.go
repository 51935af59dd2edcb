package proxy

import (
	"errors"

	"coatcheck/bff/problem"
	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// devServerAway makes an error of the way to a development server a problem that names
// it: nobody is helped by "the API cannot be reached" when Vite does not run. Its
// address is the configuration's; errors of an API are returned as they are.
func (x *roundTrip) devServerAway(err error) error {
	away := errors.Is(err, upstream.ErrUnreachable) || errors.Is(err, upstream.ErrTimeout) || errors.Is(err, forward.ErrOpen)
	route := x.call.Route()
	if !away || !route.DevServer() {
		return err
	}
	return problem.UpstreamUnreachable.With(func(p *problem.Problem) {
		p.Heading = "The development server does not answer"
		p.Detail = "Nothing answers at " + route.Origin + ". Start it, for example by `npm run dev`, then load this page again."
	}).Because(err.Error())
}
