package deploy_test

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"sigs.k8s.io/yaml"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// deployed is the configuration of the examples.
func deployed(t *testing.T) *configs.Config {
	t.Helper()
	values := map[string]string{"COATCHECK_KEY": "b25lIGtleSBvZiB0aGlydHktdHdvIGJ5dGVzIG9yIHNvISE=", "REDIS_URL": "rediss://redis.internal:6379/0",
		"API_URL": "https://api.example.net", "SITE": "shop.example.com"}
	text, err := os.ReadFile("coatcheck.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, faults := read.Text("coatcheck.yaml", text, func(n string) (string, bool) { v, ok := values[n]; return v, ok }, nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return c
}

// TestCompose: Compose reads the file, only Caddy can be reached, and Coatcheck has the
// time to drain.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"compose/compose.yaml"},
		cli.WithEnv([]string{"COATCHECK_KEY=k", "API_URL=https://api.example.net", "SITE=shop.example.com"}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for name, service := range project.Services {
		if len(service.Ports) > 0 && name != "caddy" {
			t.Errorf("%s has ports", name)
		}
		for _, v := range service.Volumes {
			if v.Type == "bind" && v.Source != "" && !strings.HasSuffix(v.Source, "/shop") {
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	unset(t, slices.Sorted(maps.Keys(project.Services["coatcheck"].Environment)), "COATCHECK_KEY", "REDIS_URL", "API_URL", "SITE")
	if redis := project.Services["redis"]; !slices.ContainsFunc(redis.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == "/data" && v.Type == "volume" }) {
		t.Error("a restart of Redis signs everybody out")
	}
	drain := deployed(t).Drain
	if grace := project.Services["coatcheck"].StopGracePeriod; grace == nil || time.Duration(*grace) <= drain.Delay+drain.Timeout {
		t.Errorf("stop_grace_period %v", grace)
	}
	if build := project.Services["coatcheck"].Build; build == nil || !isFile(filepath.Join(build.Context, "Dockerfile")) {
		t.Error("nothing to build")
	}
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// TestKubernetes: each manifest is read by Kubernetes' own types, without an unknown
// field; the labels meet; and the pod has the time to drain.
func TestKubernetes(t *testing.T) {
	text, err := os.ReadFile("kubernetes/coatcheck.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var deployment apps.Deployment
	var service core.Service
	var budget policy.PodDisruptionBudget
	var scaler autoscaling.HorizontalPodAutoscaler
	var rules networking.NetworkPolicy
	kinds := map[string]any{"Deployment": &deployment, "Service": &service, "PodDisruptionBudget": &budget, "HorizontalPodAutoscaler": &scaler, "NetworkPolicy": &rules}
	for part := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var head struct{ Kind string }
		if err := yaml.Unmarshal(part, &head); err != nil {
			t.Fatal(err)
		}
		into := kinds[head.Kind]
		if into == nil {
			t.Fatalf("kind %q is not expected, or twice there", head.Kind)
		}
		delete(kinds, head.Kind)
		if err := yaml.UnmarshalStrict(part, into); err != nil {
			t.Errorf("%s: %v", head.Kind, err)
		}
	}
	if len(kinds) > 0 {
		t.Fatalf("missing: %v", kinds)
	}
	pod := deployment.Spec.Template
	for what, labels := range map[string]map[string]string{
		"deployment": deployment.Spec.Selector.MatchLabels, "service": service.Spec.Selector,
		"budget": budget.Spec.Selector.MatchLabels, "rules": rules.Spec.PodSelector.MatchLabels,
	} {
		for k, v := range labels {
			if pod.Labels[k] != v {
				t.Errorf("%s looks for %s=%s", what, k, v)
			}
		}
	}
	if scaler.Spec.ScaleTargetRef.Name != deployment.Name {
		t.Errorf("scales %q", scaler.Spec.ScaleTargetRef.Name)
	}
	drain := deployed(t).Drain
	if grace := pod.Spec.TerminationGracePeriodSeconds; grace == nil || time.Duration(*grace)*time.Second <= drain.Delay+drain.Timeout {
		t.Errorf("terminationGracePeriodSeconds %v", grace)
	}
	if deployment.Spec.Replicas != nil {
		t.Error("replicas beside an autoscaler: each apply scales back")
	}
	container := pod.Spec.Containers[0]
	ports := map[string]bool{}
	for _, p := range container.Ports {
		ports[p.Name] = true
	}
	for _, probe := range []*core.Probe{container.LivenessProbe, container.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil || !ports[probe.HTTPGet.Port.String()] {
			t.Errorf("probe %v", probe)
		}
	}
	if s := container.SecurityContext; s == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || !*pod.Spec.SecurityContext.RunAsNonRoot {
		t.Error("the container may do too much")
	}
}

// unset refuses an example that leaves a variable of the configuration out.
func unset(t *testing.T, given []string, needed ...string) {
	t.Helper()
	for _, name := range needed {
		if !slices.Contains(given, name) {
			t.Errorf("%s is not set", name)
		}
	}
}

// TestVariablesAreNamed: what the configuration needs is named where it is to be set.
func TestVariablesAreNamed(t *testing.T) {
	for _, file := range []string{"kubernetes/coatcheck.yaml", "systemd/coatcheck.service", "coatcheck.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"COATCHECK_KEY", "REDIS_URL", "API_URL", "SITE"} {
			if !strings.Contains(string(text), name) {
				t.Errorf("%s does not name %s", file, name)
			}
		}
	}
}
