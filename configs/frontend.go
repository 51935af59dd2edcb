package configs

import (
	"slices"
	"strings"

	"coatcheck/configs/rule"
)

// Hosts are the hosts under which the frontend's calls arrive: its configured
// host, or the hosts of its origins. They are lower case, have no port, stand
// once each and in the order of the file; IPv6 addresses stand in brackets.
func (f *Frontend) Hosts() []string {
	if f.Host != "" {
		return []string{f.hostName()}
	}
	var hosts []string
	for _, o := range f.Origins {
		if host := rule.OriginHost(o); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// hostName is the configured host without its port.
func (f *Frontend) hostName() string {
	host, _ := rule.SplitPort(f.Host)
	return host
}

// SharedHost reports whether some of the frontend's pages live on another origin
// than the one their calls go to, so that CORS and cookies must travel between
// subdomains: the shared-host layout. With pages on two ports of one host it is true as well.
func (f *Frontend) SharedHost() bool {
	var seen []string
	for _, o := range f.Origins {
		host := rule.OriginHost(o)
		if f.Host != "" && host != f.hostName() || slices.Contains(seen, host) {
			return true
		}
		seen = append(seen, host)
	}
	return false
}

// SharedHost reports whether calls to host may come from more than one origin,
// over all frontends.
func (c *Config) SharedHost(host string) bool {
	origins := map[string]bool{}
	for _, f := range c.Frontends {
		if !slices.Contains(f.Hosts(), host) {
			continue
		}
		for _, o := range f.Origins {
			if rule.OriginHost(o) != host {
				return true
			}
			origins[o] = true
		}
	}
	return len(origins) > 1
}

// Patterns are those of the origins that stand for many.
func (f *Frontend) Patterns() (patterns []rule.Pattern) {
	for _, o := range f.Origins {
		if rule.IsPattern(o) {
			p, _ := rule.OriginPattern(o)
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// Exact are the origins that are no patterns.
func (f *Frontend) Exact() (origins []string) {
	for _, o := range f.Origins {
		if !rule.IsPattern(o) {
			origins = append(origins, o)
		}
	}
	return origins
}

// IsHTTPS reports whether the frontend's pages, and so its calls, use https. All its
// origins do, or none. A door without pages does, unless its host is a loopback host.
func (f *Frontend) IsHTTPS() bool {
	if f.IsDoor() {
		return f.Host != "" && !rule.IsLoopback(f.Host)
	}
	return len(f.Origins) > 0 && strings.HasPrefix(f.Origins[0], "https://")
}

// Scheme is what X-Forwarded-Proto says: https or http.
func (f *Frontend) Scheme() string {
	if f.IsHTTPS() {
		return "https"
	}
	return "http"
}

// FieldNames are the names of the sign-in fields, without the mark of optional ones.
func (l *FrontendLogin) FieldNames() []string { return fieldNames(l.Fields) }

// Optional reports whether a page may leave the field called name out.
func (l *FrontendLogin) Optional(name string) bool { return isOptional(l.Fields, name) }

// FieldNames are the names of the step's fields, without the mark of optional ones.
func (s *Step) FieldNames() []string { return fieldNames(s.Fields) }

// Optional reports whether a page may leave the field called name out.
func (s *Step) Optional(name string) bool { return isOptional(s.Fields, name) }

func isOptional(fields []string, name string) bool {
	return slices.ContainsFunc(fields, func(declared string) bool {
		n, optional := FieldName(declared)
		return n == name && optional
	})
}

func fieldNames(fields []string) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i], _ = FieldName(f)
	}
	return names
}

// FieldName takes a declared field apart: "otp?" is the optional field otp, and so is
// "otp?: number".
func FieldName(declared string) (name string, optional bool) {
	name, _, _ = strings.Cut(declared, ":")
	return strings.CutSuffix(name, "?")
}

// Kinds of sign-in fields: the JSON values that a page sends for them.
const (
	TextField   = "text"
	BoolField   = "bool"
	NumberField = "number"
)

// FieldKind is the kind of a declared field, [TextField] unless it says another:
// "remember?: bool", "pin: number". ok is false where there is no such kind.
func FieldKind(declared string) (kind string, ok bool) {
	_, kind, said := strings.Cut(declared, ":")
	if !said {
		return TextField, true
	}
	kind = strings.TrimLeft(kind, " ")
	return kind, slices.Contains([]string{TextField, BoolField, NumberField}, kind)
}
