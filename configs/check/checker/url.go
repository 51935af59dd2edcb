package checker

import (
	"net/netip"
	"net/url"
	"strings"

	"coatcheck/configs/rule"
)

// URL checks an absolute http(s) URL and returns its host; "" where it is faulty or empty.
func (ck *Checker) URL(path, value string) string {
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		ck.Complain(path, rule.Complaint{Message: "not a URL", Hint: rule.LikelyURL(value)})
	case u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "":
		ck.Complain(path, rule.Complaint{Message: "not an absolute URL: start with https://", Hint: rule.LikelyURL(value)})
	case value[:len(u.Scheme)] != u.Scheme:
		ck.Complain(path, rule.Complaint{Message: "the scheme must be lower case", Hint: u.Scheme + "://"})
	case u.User != nil:
		ck.Refuse(path, "must not contain a user name or password", "basic: [\"${ID}\", \"${SECRET}\"] in the request, or send: {headers: …}")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(value, "#"):
		ck.Refuse(path, "must not contain a query or fragment", "query: {…} in the request")
	case u.Port() == "" && strings.HasSuffix(u.Host, ":") || u.Port() != "" && !rule.IsPort(u.Port()):
		ck.Refuse(path, "port must be a number from 1 to 65535", "")
	case u.Path != "" && ck.Complain(path, rule.Path(u.EscapedPath())):
	case ck.Complain(path, rule.Host(strings.ToLower(rule.URLHost(u)))):
	default:
		return strings.ToLower(rule.URLHost(u))
	}
	return ""
}

// ListensAt reports whether host and port reach the public listener of this machine.
func (ck *Checker) ListensAt(host, port string) bool {
	own, ownPort := rule.SplitPort(ck.Config.Listen)
	if port != ownPort || !rule.IsLoopback(host) {
		return false
	}
	own = strings.Trim(own, "[]")
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return rule.IsEvery(own) || own == host || rule.IsLoopback(own) && (err != nil || own == addr.String())
}
