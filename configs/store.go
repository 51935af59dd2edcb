package configs

import (
	"net/url"
	"slices"
	"strings"
)

// stores is the list of what sessions.store may begin with.
const stores = "memory:// | file:///path | redis://host:6379/0 | rediss:// | redis-sentinel://h1,h2/master/0 | redis-cluster://h1,h2 | unix:///run/redis.sock"

// checkStore holds the store's URL against its scheme's form. No part of it is
// repeated: it may hold a password. What the parameters behind "?" mean is the
// store's own business.
func checkStore(s string) complaint {
	scheme, rest, ok := strings.Cut(s, "://")
	if s == "" {
		return complaint{"this is empty", stores}
	}
	if !ok || !slices.Contains([]string{"memory", "file", "redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster", "unix"}, scheme) {
		return complaint{"this is not a store", stores}
	}
	rest, _, _ = strings.Cut(rest, "?")
	switch scheme = strings.Replace(scheme, "rediss", "redis", 1); scheme { // TLS changes no form
	case "memory":
		if strings.Trim(rest, "/") != "" {
			return complaint{"memory:// has nothing behind it", "memory://"}
		}
		return complaint{}
	case "file":
		if !strings.HasPrefix(rest, "/") || strings.HasSuffix(rest, "/") {
			return complaint{"the file needs an absolute path", "file:///var/lib/coatcheck/sessions.db"}
		}
		return complaint{}
	case "unix":
		rest = rest[strings.LastIndexByte(rest, '@')+1:]
		if !strings.HasPrefix(rest, "/") || strings.HasSuffix(rest, "/") {
			return complaint{"a Redis behind a Unix socket needs its absolute path", "unix:///run/redis/redis.sock"}
		}
		return complaint{}
	}
	return checkRedis(scheme, rest)
}

func checkRedis(scheme, rest string) complaint {
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if _, err := url.Parse("redis://" + rest[:at] + "@host"); err != nil {
			return complaint{"user name or password of the store cannot be read", "percent-encode what is not a letter or digit"}
		}
		rest = rest[at+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	many := scheme == "redis-sentinel" || scheme == "redis-cluster"
	for host := range strings.SplitSeq(hosts, ",") {
		if u, err := url.Parse("redis://" + host); err != nil || u.Hostname() == "" {
			return complaint{"a host of the store is missing or cannot be read", stores}
		}
	}
	master, database, _ := strings.Cut(path, "/")
	switch {
	case !many && strings.Contains(hosts, ","):
		return complaint{"several hosts are for redis-sentinel:// and redis-cluster://", ""}
	case scheme == "redis-sentinel" && (master == "" || !isDatabase(database)):
		return complaint{"the sentinels need the name of the master", "redis-sentinel://h1,h2/mymaster/0"}
	case scheme == "redis-cluster" && strings.Trim(path, "/") != "" && path != "0":
		return complaint{"a cluster has no databases but 0", "redis-cluster://h1,h2"}
	case !many && !isDatabase(path):
		return complaint{"what follows the host is the number of the database", "redis://host:6379/0"}
	}
	return complaint{}
}

func isDatabase(s string) bool { return len(s) <= 4 && strings.Trim(s, "0123456789") == "" }
