package main

import (
	"os/exec"
	"strings"
	"testing"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// TestCluster: the life of a session over a Redis Cluster of three masters; one of
// them dies and comes back with its data, while people whose sessions are on all
// three keep calling. Nobody is signed out, and who had signed out stays so.
func TestCluster(t *testing.T) {
	t.Parallel()
	var addrs, ports, dirs []string
	var nodes []*rig.Program
	bus := map[string]string{} // by port
	node := func(port, dir string) *rig.Program {
		return rig.RedisAt(t, port, "--dir", dir, "--cluster-enabled", "yes", "--cluster-port", bus[port],
			"--cluster-node-timeout", "5000", // a node of a busy machine may be silent for seconds
			"--appendonly", "yes", "--appendfsync", "no") // written before each reply, which outlives a kill; a sync would wait for the disk
	}
	for range 3 {
		port, dir := freeport.Text(t), t.TempDir()
		bus[port] = freeport.Text(t)
		ports, dirs, addrs = append(ports, port), append(dirs, dir), append(addrs, "127.0.0.1:"+port)
		nodes = append(nodes, node(port, dir))
	}
	if out, err := exec.Command("redis-cli", append([]string{"--cluster", "create", "--cluster-yes"}, addrs...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	rig.Until(t, "the cluster", func() bool {
		for _, addr := range addrs {
			if info, _ := rig.RedisDo(t, addr, "CLUSTER", "INFO").(string); !strings.Contains(info, "cluster_state:ok") {
				return false
			}
		}
		return true
	})
	f := &fleet{T: t, api: newFleetAPI(t), replicas: make([]*replica, 2)}
	for i := range f.replicas {
		f.replicas[i] = &replica{}
	}
	f.launch(func(*replica) string { return "redis-cluster://" + strings.Join(addrs, ",") })
	f.life()
	gone := f.signIn(f.replicas[0], "gone")
	f.signOut(f.replicas[0], gone)
	var people []*person
	for _, name := range strings.Fields("ada bob cleo dan eve fay") {
		people = append(people, f.signIn(f.replicas[0], name))
	}
	run := f.traffic(people...)
	_ = nodes[1].Process.Kill()
	<-nodes[1].Exited
	rig.Until(t, "the fault to show", func() bool { return run.away.Load() > 0 })
	node(ports[1], dirs[1])
	run.settle()
	if a := f.whoami(f.replicas[1], gone); a.status != 401 {
		t.Errorf("the one who had signed out: %s", a)
	}
}
