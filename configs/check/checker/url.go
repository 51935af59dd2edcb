package checker

import (
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
