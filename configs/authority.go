package configs

import (
	"strings"

	"coatcheck/configs/rule"
)

// KnownBase is the address by which those who sign calls know the frontend: {url.base},
// unless the caller says url. A door's is https even on a loopback host, where a tunnel
// stands in front of it. Empty where a pattern alone names the origins.
func (f *Frontend) KnownBase() string {
	exact := f.Exact()
	switch {
	case f.IsDoor():
		return "https://" + f.Host
	case f.Host != "":
		return f.Scheme() + "://" + f.Host
	case len(exact) > 0:
		return exact[0]
	}
	return ""
}

// Authorities are the addresses, host:port, at which the frontend is reached.
func (f *Frontend) Authorities() []string {
	var list []string
	if f.IsDoor() && f.Host != "" {
		list = append(list, f.Host+":"+rule.DefaultPort(f.Scheme()))
	}
	for _, o := range f.Origins {
		scheme, rest, _ := strings.Cut(o, "://")
		host, port := rule.SplitPort(rest)
		if port == "" {
			port = rule.DefaultPort(scheme)
		}
		switch own, ownPort := rule.SplitPort(f.Host); {
		case f.Host == "" || f.Host == host:
			list = append(list, host+":"+port)
		case ownPort != "":
			list = append(list, own+":"+ownPort)
		default:
			list = append(list, f.Host+":"+rule.DefaultPort(scheme))
		}
	}
	return list
}
