package demo

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	demoapi "coatcheck/upstream/demo"
	"coatcheck/upstream/demo/provider"
)

// porterHost is where the demo's provider stands: another site than the shop's.
const porterHost = "id.porter.localhost"

// porterClient is the back office's name at the provider.
const porterClient = "back-office"

// porter is the OpenID Provider at which the back office signs in. Coatcheck reaches it
// by a listener of its own; browsers, where a listener can be sorted, by the demo's port.
type porter struct {
	*provider.Provider
	direct net.Listener
	issuer string
	secret string
}

// newPorter opens the provider's listener. The provider itself is made by know.
func newPorter(port string, secret string) (*porter, error) {
	direct, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if !sorts {
		_, port, _ = net.SplitHostPort(direct.Addr().String()) // a listener's address has a port
	}
	return &porter{direct: direct, issuer: "http://" + porterHost + ":" + port, secret: secret}, nil
}

// know makes the provider, which knows the back office and its people. It tells the
// back office of sessions that end by the demo's own listener.
func (p *porter) know(port string, public net.Addr) error {
	office := "http://admin.coatcheck.localhost:" + port
	made, err := provider.New(provider.Options{
		Issuer: p.issuer, Name: "Porter’s Lodge", FillIn: true, NoPAR: true, NoDPoP: true, HTTP: callerOf(public),
		Note: "Not the back office: this site alone sees the password. The people of this demo are made up, and so are their passwords.",
		Clients: []provider.Client{{ID: porterClient, Secret: p.secret, Name: "the back office",
			RedirectURIs: []string{office + "/bff/callback/porter"}, PostLogout: []string{office + "/"}, BackChannel: office + "/bff/backchannel-logout/porter"}},
		People: porterPeople(),
	})
	p.Provider = made
	return err
}

func porterPeople() []provider.Person {
	people := []provider.Person{}
	for _, who := range demoapi.People() {
		if who.Frontend == "admin" {
			people = append(people, provider.Person{Subject: who.ID, Email: who.Email, Password: who.Password, Name: who.Name})
		}
	}
	return append(people, provider.Person{Subject: mallory.ID, Email: mallory.Email, Password: mallory.Password, Name: mallory.Name, Unlisted: true})
}

// serve answers on both ways until ctx ends.
func (p *porter) serve(ctx context.Context, side net.Listener) {
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: p}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	go func() { _ = server.Serve(side) }() // ends with the server, or with the listener
	_ = server.Serve(p.direct)             // the server was closed
}

// callerOf calls the demo's pages at their listener, whatever DNS says of their names.
func callerOf(public net.Addr) *http.Client {
	address := public.String()
	if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().IsUnspecified() {
		address = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port()).String()
	}
	return &http.Client{Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}}
}

// known is the provider as the demo's API asks it (RFC 7662, without the wire).
type known struct{ *porter }

// Introspect implements [demoapi.Provider].
func (k known) Introspect(token string) (demoapi.Visitor, bool) {
	g, ok := k.porter.Introspect(token)
	return demoapi.Visitor{Subject: g.Subject, Session: g.Session, Ends: g.Ends}, ok
}

// Journal implements [demoapi.Provider].
func (k known) Journal(session string, n int) []demoapi.ProviderEvent {
	events := []demoapi.ProviderEvent{}
	for _, e := range k.porter.Journal(session, n) {
		events = append(events, demoapi.ProviderEvent(e))
	}
	return events
}

// Issuer implements [demoapi.Provider].
func (k known) Issuer() string { return k.issuer }
