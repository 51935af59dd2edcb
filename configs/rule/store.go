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
	if s == "" {
		return Complaint{"this is empty", stores}
	}
	if !ok || !slices.Contains([]string{"memory", "file", "redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster", "unix"}, scheme) {
		return Complaint{"this is not a store", stores}
	}
	rest, _, _ = strings.Cut(rest, "?")
	switch scheme = strings.Replace(scheme, "rediss", "redis", 1); scheme { // TLS changes no form
	case "memory":
		if strings.Trim(rest, "/") != "" {
			return Complaint{"memory:// has nothing behind it", "memory://"}
		}
		return Complaint{}
	case "file":
		if !strings.HasPrefix(rest, "/") || strings.HasSuffix(rest, "/") {
			return Complaint{"the file needs an absolute path", "file:///var/lib/coatcheck/sessions.db"}
		}
		return Complaint{}
	case "unix":
		rest = rest[strings.LastIndexByte(rest, '@')+1:]
		if !strings.HasPrefix(rest, "/") || strings.HasSuffix(rest, "/") {
			return Complaint{"a Redis behind a Unix socket needs its absolute path", "unix:///run/redis/redis.sock"}
		}
		return Complaint{}
	}
	return checkRedis(scheme, rest)
}

func checkRedis(scheme, rest string) Complaint {
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if _, err := url.Parse("redis://" + rest[:at] + "@host"); err != nil {
			return Complaint{"user name or password of the store cannot be read", "percent-encode what is not a letter or digit"}
		}
		rest = rest[at+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	many := scheme == "redis-sentinel" || scheme == "redis-cluster"
	for host := range strings.SplitSeq(hosts, ",") {
		if u, err := url.Parse("redis://" + host); err != nil || u.Hostname() == "" {
			return Complaint{"a host of the store is missing or cannot be read", stores}
		}
	}
	master, database, _ := strings.Cut(path, "/")
	switch {
	case !many && strings.Contains(hosts, ","):
		return Complaint{"several hosts are for redis-sentinel:// and redis-cluster://", ""}
	case scheme == "redis-sentinel" && (master == "" || !isDatabase(database)):
		return Complaint{"the sentinels need the name of the master", "redis-sentinel://h1,h2/mymaster/0"}
	case scheme == "redis-cluster" && strings.Trim(path, "/") != "" && path != "0":
		return Complaint{"a cluster has no databases but 0", "redis-cluster://h1,h2"}
	case !many && !isDatabase(path):
		return Complaint{"what follows the host is the number of the database", "redis://host:6379/0"}
	}
	return Complaint{}
}

func isDatabase(s string) bool { return len(s) <= 4 && strings.Trim(s, "0123456789") == "" }
