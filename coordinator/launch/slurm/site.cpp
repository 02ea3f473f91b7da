// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/slurm/site.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <sstream>
#include <string_view>

#include "base/clock.h"

namespace remixer::coordinator::slurm {
namespace {

// "1:30:00" → {1, 30, 0}; empty if a part is not a number.
std::vector<double> numbers(const std::string& text) {
  std::vector<double> parts;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(':', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const bool plain =
        !part.empty() && part.size() <= 6 &&
        std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!plain) return {};
    parts.push_back(std::stod(part));
    begin = end + 1;
  }
  return parts;
}

// A time limit in seconds; NaN if the format is not valid.
double parsed_limit(const std::string& text) {
  const size_t dash = text.find('-');
  const auto parts = numbers(dash == std::string::npos ? text : text.substr(dash + 1));
  const size_t n = parts.size();
  if (n == 0 || n > 3) return std::numeric_limits<double>::quiet_NaN();
  if (dash == std::string::npos) {
    if (n == 1) return parts[0] * 60;
    if (n == 2) return parts[0] * 60 + parts[1];
    return parts[0] * 3600 + parts[1] * 60 + parts[2];
  }
  const auto days = numbers(text.substr(0, dash));
  if (days.size() != 1) return std::numeric_limits<double>::quiet_NaN();
  return days[0] * 86400 + parts[0] * 3600 + (n > 1 ? parts[1] * 60 : 0) + (n > 2 ? parts[2] : 0);
}

// GPUs that an allocation requests.
struct Gpus {
  std::optional<int64_t> per_node = 0;  // nothing: it is not said how many a node has
  std::string model;
};

// "nvme:1,gpu:a100:4" → 4 of "a100".
Gpus gpus_of_gres(const std::string& gres) {
  constexpr std::string_view kTyped = "gpu:";
  Gpus gpus;
  int64_t sum = 0;
  for (const auto& [name, count] : generic_resources(gres)) {
    if (name != "gpu" && !name.starts_with(kTyped)) continue;
    sum += count;
    if (gpus.model.empty() && name != "gpu") gpus.model = name.substr(kTyped.size());
  }
  gpus.per_node = sum;
  return gpus;
}

// An option of sbatch by its long name, however it is written: "--gpus=4", "--gpus 4", "-G4".
struct BatchOption {
  std::string name, value;
};

std::vector<BatchOption> batch_options(const std::vector<std::string>& lines) {
  std::vector<BatchOption> found;
  for (const std::string& line : lines) {
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (word.starts_with("-G")) {
        found.push_back({"--gpus", word.substr(2)});
      } else if (word.starts_with("-")) {
        found.push_back(
            {word.substr(0, equals), equals == std::string::npos ? "" : word.substr(equals + 1)});
      } else if (!found.empty() && found.back().value.empty()) {
        found.back().value = word;
      }
    }
  }
  return found;
}

// Of --gpus, --gpus-per-node and the like: "4", "a100:4" or "a100:2,h100:2".
Gpus gpus_of_option(const BatchOption& option, const Allocation& a) {
  std::string gres;
  std::istringstream parts(option.value);
  for (std::string part; std::getline(parts, part, ',');) {
    gres += (gres.empty() ? "gpu:" : ",gpu:") + part;
  }
  Gpus gpus = gpus_of_gres(gres);
  const int64_t count = *gpus.per_node;
  if (option.name == "--gpus-per-node") return gpus;
  if (option.name == "--gpus-per-task") {
    gpus.per_node = count * a.ranks_per_node;
  } else if (option.name == "--gpus" && count % a.nodes == 0) {
    gpus.per_node = count / a.nodes;
  } else {
    gpus.per_node.reset();
  }
  return gpus;
}

// What `gres` says comes first; of the options, the first that tells the number.
Gpus requested_gpus(const Allocation& a) {
  const std::vector<BatchOption> options = batch_options(a.options);
  std::string gres = a.gres;
  for (const BatchOption& option : options) {
    if (option.name == "--gres") gres = option.value;  // sbatch takes the last one
  }
  Gpus gpus = gpus_of_gres(gres);
  for (const BatchOption& option : options) {
    if (!option.name.starts_with("--gpus") || gpus.per_node.value_or(0) > 0) continue;
    gpus = gpus_of_option(option, a);
  }
  return gpus;
}

void check_one_of(const char* key, const std::string& value,
                  const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), value) == known.end()) {
    fail_input("{}: {}", key, unknown_name("value", value, known));
  }
}

template <typename T>
void check_at_least(const char* key, T value, T least) {
  if (!(value >= least)) fail_input("{} must be at least {}, not {}", key, least, value);
}

// Each value becomes one line of the batch script.
void check_lines(const char* key, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    if (value.find('\n') != std::string::npos) fail_input("{}: one line each, please", key);
  }
}

// Each value becomes one word of a line that Slurm reads, not bash.
void check_words(const Site& site) {
  const Allocation& a = site.allocation;
  const DaemonJob& d = site.daemon;
  const std::pair<const char*, const std::string*> words[] = {
      {"allocation.partition", &a.partition},
      {"allocation.account", &a.account},
      {"allocation.qos", &a.qos},
      {"allocation.constraint", &a.constraint},
      {"allocation.gres", &a.gres},
      {"allocation.memory", &a.memory},
      {"allocation.reservation", &a.reservation},
      {"daemon.partition", &d.partition},
      {"daemon.account", &d.account},
      {"daemon.qos", &d.qos},
      {"daemon.memory", &d.memory}};
  for (const auto& [key, value] : words) {
    const bool plain = std::none_of(value->begin(), value->end(), [](unsigned char c) {
      return std::isspace(c) != 0 || std::iscntrl(c) != 0 || c == '"' || c == '\'' || c == '#';
    });
    if (!plain) fail_input("{}: '{}' holds a character that sbatch does not take", key, *value);
  }
}

void check_options(const char* key, const std::vector<std::string>& options) {
  check_lines(key, options);
  for (const std::string& option : options) {
    if (option.compare(0, 1, "-") != 0) {
      fail_input("{}: '{}' is no option; write it as \"--name=value\"", key, option);
    }
  }
}

void check_allocation(const Site& site) {
  const Allocation& a = site.allocation;
  check_words(site);
  check_options("allocation.options", a.options);
  check_options("daemon.options", site.daemon.options);
  limit_seconds(site.daemon.time);
  check_at_least<int64_t>("allocation.nodes", a.nodes, 1);
  check_at_least<int64_t>("allocation.ranks_per_node", a.ranks_per_node, 1);
  check_at_least<int64_t>("allocation.cpus_per_rank", a.cpus_per_rank, 1);
  if (site.seconds() <= site.queue.checkpoint_seconds) {
    fail_input(
        "allocation.time {} leaves nothing after queue.checkpoint_seconds = {:g}; allow more time",
        a.time, site.queue.checkpoint_seconds);
  }
}

void check_worker(const Site& site) {
  const Workers& w = site.worker;
  check_one_of("worker.launcher", w.launcher, {"srun", "mpirun"});
  check_at_least<int64_t>("worker.workers", w.workers, 1);
  check_at_least<int64_t>("worker.loader_threads", w.loader_threads, 0);
  check_one_of("worker.device", w.device, {"auto", "cpu", "cuda"});
  if (w.workers > 1 && site.allocation.nodes > 1) {
    fail_input(
        "worker.workers = {} needs allocation.nodes = 1: a worker may span nodes, but not "
        "share them",
        w.workers);
  }
  if (site.ranks() % w.workers != 0) {
    fail_input("worker.workers = {} does not divide the {} ranks of an allocation", w.workers,
               site.ranks());
  }
  const auto gpus = site.gpus_per_node();
  if (site.device() != "cuda" || !gpus || *gpus == 0) return;
  if (*gpus < site.allocation.ranks_per_node) {
    fail_input(
        "allocation.ranks_per_node = {} ranks have {} GPU{} between them (allocation.gres, "
        "allocation.options); give each rank one, or set worker.device = \"cpu\"",
        site.allocation.ranks_per_node, *gpus, *gpus == 1 ? "" : "s");
  }
}

void check_environment(const Site& site) {
  check_lines("environment.before", site.environment.before);
  for (const std::string& variable : site.environment.variables) {
    const size_t equals = variable.find('=');
    const bool named = equals != std::string::npos && equals > 0 &&
                       std::all_of(variable.begin(), variable.begin() + static_cast<long>(equals),
                                   [](unsigned char c) { return std::isalnum(c) || c == '_'; });
    if (!named) fail_input("environment.variables: '{}' is not \"NAME=value\"", variable);
  }
  const Container& c = site.container;
  if (c.runtime.empty()) {
    if (!c.image.empty()) fail_input("container.image needs container.runtime");
    return;
  }
  check_one_of("container.runtime", c.runtime, {"apptainer", "singularity", "pyxis"});
  if (c.image.empty()) fail_input("container.runtime = \"{}\" needs container.image", c.runtime);
  if (c.runtime == "pyxis" && site.worker.launcher != "srun") {
    fail_input("container.runtime = \"pyxis\" needs worker.launcher = \"srun\"");
  }
}

void check_queue(const QueueRules& q) {
  check_at_least<int64_t>("queue.maximum", q.maximum, 1);
  check_at_least<int64_t>("queue.backlog", q.backlog, 1);
  check_at_least<double>("queue.idle_seconds", q.idle_seconds, 1);
  check_at_least<double>("queue.checkpoint_seconds", q.checkpoint_seconds, 1);
  check_at_least<double>("queue.patience_seconds", q.patience_seconds, 1);
  check_at_least<double>("queue.worth_seconds", q.worth_seconds, 0);
  check_at_least<double>("queue.poll_seconds", q.poll_seconds, 0.2);
  check_at_least<int64_t>("queue.submit_failures", q.submit_failures, 1);
  check_at_least<int64_t>("queue.start_failures", q.start_failures, 1);
}

}  // namespace

std::vector<std::pair<std::string, int64_t>> generic_resources(const std::string& gres) {
  std::vector<std::pair<std::string, int64_t>> found;
  std::istringstream parts(gres);
  for (std::string part; std::getline(parts, part, ',');) {
    if (part.starts_with("gres/")) part.erase(0, 5);
    const size_t colon = part.rfind(':');
    const std::string last = colon == std::string::npos ? "" : part.substr(colon + 1);
    const bool counted = !last.empty() && last.size() <= 6 &&
                         last.find_first_not_of("0123456789") == std::string::npos;
    if (!part.empty()) {
      found.emplace_back(counted ? part.substr(0, colon) : part, counted ? std::stoll(last) : 1);
    }
  }
  return found;
}

double limit_seconds(const std::string& text) {
  const double seconds = parsed_limit(text);
  if (!(seconds > 0)) {
    fail_input(
        "time limit '{}' is none; write hours:minutes:seconds or days-hours, as \"12:00:00\"",
        text);
  }
  return seconds;
}

std::optional<int64_t> Site::gpus_per_node() const {
  return requested_gpus(allocation).per_node;
}

std::string Site::gpu_model() const {
  return requested_gpus(allocation).model;
}

std::string Site::device() const {
  if (worker.device != "auto") return worker.device;
  return gpus_per_node() == 0 ? "auto" : "cuda";
}

double Site::seconds() const {
  return limit_seconds(allocation.time);
}

void check_site(const Site& site) {
  check_queue(site.queue);
  check_allocation(site);
  check_worker(site);
  check_environment(site);
}

Json to_json(const Site& site) {
  return ObjectWriter::write(site);
}

Site site_from_json(const Json& json) {
  Site site;
  ObjectReader::read(json, "site", site);
  check_site(site);
  return site;
}

}  // namespace remixer::coordinator::slurm
