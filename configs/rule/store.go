package rule

import (
	"net/url"
	"slices"
	"strings"
)

// stores is the list of what sessions.store may begin with.
const stores = "memory:// | file:///path | redis://host:6379/0 | rediss:// | redis-sentinel://h1,h2/master/0 | redis-cluster://h1,h2 | unix:///run/redis.sock"

// Store holds the store's URL against its scheme's form. No part of it is
// repeated: it may hold a password. What the parameters behind "?" mean is the
// store's own business.
func Store(s string) Complaint {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case s == "":
		return Complaint{"must not be empty", stores}
	case !ok && strings.HasPrefix(s, "unix:/"):
		return Complaint{"two slashes missing after unix:", "unix:///run/redis/redis.sock"}
	case !ok:
		return Complaint{"scheme missing: start with redis://, memory:// or another of the store's schemes", withScheme(s)}
	case !slices.Contains(storeSchemes, scheme):
		return Complaint{unknownScheme(scheme), stores}
	}
	rest, _, _ = strings.Cut(rest, "?")
	switch scheme = strings.Replace(scheme, "rediss", "redis", 1); scheme { // TLS changes no form
	case "memory":
		if strings.Trim(rest, "/") != "" {
			return Complaint{"nothing may follow memory://", "memory://"}
		}
		return Complaint{}
	case "file":
		if !strings.HasPrefix(rest, "/") || strings.HasSuffix(rest, "/") {
			return Complaint{"file:// needs an absolute path", "file:///var/lib/coatcheck/sessions.db"}
		}
		return Complaint{}
	case "unix":
		rest = rest[strings.LastIndexByte(rest, '@')+1:]
		if !strings.HasPrefix(rest, "/") || strings.HasSuffix(rest, "/") {
			return Complaint{"unix:// needs the absolute path of a socket", "unix:///run/redis/redis.sock"}
		}
		return Complaint{}
	}
	c := checkRedis(scheme, rest)
	if _, whole, _ := strings.Cut(s, "://"); c.Is() && hasRawPassword(whole) {
		c = Complaint{rawPassword, ""}
	}
	return c
}

const rawPassword = "could not parse the store URL: percent-encode special characters in the password (@ is %40, / is %2F, # is %23, ? is %3F)"

// storeSchemes are what a store's URL begins with.
var storeSchemes = []string{"memory", "file", "redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster", "unix"}

// unknownScheme says what is wrong with a scheme. It repeats one that is nearly a known
// one only: any other may be a part of a password.
func unknownScheme(scheme string) string {
	if scheme == "redis+unix" || scheme == "redis+socket" { // other programs' names for it
		return "unknown store scheme \"" + scheme + "\": did you mean unix://?"
	}
	hint := Suggest(scheme, storeSchemes)
	if hint == "" {
		return "unknown store scheme"
	}
	return "unknown store scheme \"" + scheme + "\": " + strings.TrimSuffix(hint, "?") + "://?"
}

// withScheme is the hint for host:port without a scheme.
func withScheme(s string) string {
	if host, port := SplitPort(s); IsHostName(host) && (port == "" || IsPort(port)) {
		return "redis://" + s
	}
	return stores
}

// hasRawPassword reports whether what follows the scheme holds an @ that ends no
// password: a second one, or one behind a character that ends the host.
func hasRawPassword(rest string) bool {
	end := strings.IndexAny(rest, "/?#")
	return strings.Count(rest, "@") > 1 || end >= 0 && strings.LastIndexByte(rest, '@') > end
}

func checkRedis(scheme, rest string) Complaint {
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if _, err := url.Parse("redis://" + rest[:at] + "@host"); err != nil {
			return Complaint{rawPassword, ""}
		}
		rest = rest[at+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	many := scheme == "redis-sentinel" || scheme == "redis-cluster"
	if hosts == "" && path != "" {
		return Complaint{"host missing: a Unix socket starts with unix://, and leads to one Redis only", "unix:///run/redis/redis.sock"}
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if u, err := url.Parse("redis://" + host); err != nil || u.Hostname() == "" {
			return Complaint{"host missing or not valid in the store URL", stores}
		}
	}
	master, database, _ := strings.Cut(path, "/")
	switch {
	case !many && strings.Contains(hosts, ","):
		return Complaint{"several hosts need redis-sentinel:// or redis-cluster://", ""}
	case scheme == "redis-sentinel" && (master == "" || !isDatabase(database)):
		return Complaint{"the master's name is missing", "redis-sentinel://h1,h2/mymaster/0"}
	case scheme == "redis-cluster" && strings.Trim(path, "/") != "" && path != "0":
		return Complaint{"Redis Cluster has database 0 only", "redis-cluster://h1,h2"}
	case !many && !isDatabase(path):
		return Complaint{"the database after the host must be a number", "redis://host:6379/0"}
	}
	return Complaint{}
}

func isDatabase(s string) bool { return len(s) <= 4 && strings.Trim(s, "0123456789") == "" }
