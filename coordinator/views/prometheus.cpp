// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/prometheus.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace remixer::coordinator {

namespace answers = experiments::protocol::answers;

namespace {

using Labels = std::initializer_list<std::pair<const char*, std::string>>;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  return out;
}

class Exposition {
 public:
  // Begins a metric; the following samples belong to it.
  void metric(const char* name, const char* type, const char* help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void sample(const Labels& labels, double value) {
    text_ += name_;
    char before = '{';
    for (const auto& [name, label] : labels) {
      text_ += fmt::format("{}{}=\"{}\"", before, name, escaped(label));
      before = ',';
    }
    if (labels.size() > 0) text_ += '}';
    const std::string number = std::isnan(value)   ? "NaN"
                               : std::isinf(value) ? (value > 0 ? "+Inf" : "-Inf")
                                                   : fmt::format("{}", value);
    text_ += " " + number + "\n";
  }
  std::string take() { return std::move(text_); }

 private:
  std::string name_, text_;
};

double number_or_nan(const std::optional<double>& value) {
  return value.value_or(std::nan(""));
}

void add_grids(Exposition& out, const std::vector<answers::Grid>& grids) {
  out.metric("remixer_grid_tasks", "gauge", "Tasks of a grid by state.");
  for (const answers::Grid& grid : grids) {
    const answers::TaskCounts& states = grid.states;
    const std::pair<const char*, int64_t> counts[] = {
        {"blocked", states.blocked}, {"cancelled", states.cancelled}, {"done", states.done},
        {"failed", states.failed},   {"ready", states.ready},         {"running", states.running},
        {"waiting", states.waiting}};
    for (const auto& [state, count] : counts) {
      out.sample({{"grid", std::to_string(grid.id)}, {"name", grid.name}, {"state", state}},
                 static_cast<double>(count));
    }
  }
  const auto add = [&](const char* metric, const char* help, auto value) {
    out.metric(metric, "gauge", help);
    for (const answers::Grid& grid : grids) {
      out.sample({{"grid", std::to_string(grid.id)}, {"name", grid.name}},
                 static_cast<double>(value(grid)));
    }
  };
  using answers::Grid;
  add("remixer_grid_cells", "Cells of a grid.", [](const Grid& grid) { return grid.cells; });
  add("remixer_grid_cells_done", "Cells of a grid whose tasks are all done.",
      [](const Grid& grid) { return grid.cells_done; });
  add("remixer_grid_cells_failed", "Cells of a grid that cannot be finished.",
      [](const Grid& grid) { return grid.cells_failed; });
  add("remixer_grid_progress_ratio", "Share of a grid's work that is done.",
      [](const Grid& grid) { return grid.fraction; });
  add("remixer_grid_remaining_seconds", "Estimated time to a grid's end; NaN while unknown.",
      [](const Grid& grid) { return number_or_nan(grid.seconds_left); });
}

void add_attempts(Exposition& out, const std::vector<answers::Running>& running) {
  using answers::Running;
  const auto add = [&](const char* metric, const char* help, auto value) {
    out.metric(metric, "gauge", help);
    for (const Running& attempt : running) {
      out.sample({{"task", attempt.task_id}, {"title", attempt.title}},
                 static_cast<double>(value(attempt)));
    }
  };
  add("remixer_attempt_step", "Step of a running attempt.",
      [](const Running& attempt) { return attempt.step; });
  add("remixer_attempt_steps", "Steps that a running attempt has to do.",
      [](const Running& attempt) { return attempt.total_steps; });
  add("remixer_attempt_heartbeat_age_seconds", "Time since a running attempt's last report.",
      [](const Running& attempt) { return number_or_nan(attempt.last_heartbeat_seconds); });
  out.metric("remixer_attempt_metric", "gauge",
             "Newest value of what a running attempt reports: loss, lr, kappa, system figures.");
  for (const Running& attempt : running) {
    for (const auto& [name, value] : attempt.metrics) {
      out.sample({{"task", attempt.task_id},
                  {"title", attempt.title},
                  {"worker", attempt.worker},
                  {"name", name}},
                 number_or_nan(value));
    }
  }
}

void add_workers(Exposition& out, const std::vector<answers::Worker>& workers) {
  std::map<std::string, int> states{{"idle", 0}, {"running", 0}, {"silent", 0}, {"set aside", 0}};
  for (const answers::Worker& worker : workers) ++states[worker.state];
  out.metric("remixer_workers", "gauge", "Workers by state.");
  for (const auto& [state, count] : states) out.sample({{"state", state}}, count);
}

void add_process(Exposition& out) {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  out.metric("process_cpu_seconds_total", "counter", "Processor time of the daemon.");
  out.sample({}, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  long pages = 0, resident = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  out.metric("process_resident_memory_bytes", "gauge", "Resident memory of the daemon.");
  out.sample({}, static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
}

}  // namespace

std::string prometheus_text(const answers::Status& status, const ServerCounts& counts) {
  Exposition out;
  out.metric("remixer_build_info", "gauge", "Always 1; the version is in the label.");
  out.sample({{"version", status.version.value_or("")}}, 1);
  add_grids(out, status.grids);
  add_attempts(out, status.running);
  add_workers(out, status.workers);
  out.metric("remixer_http_requests_total", "counter", "Requests answered.");
  out.sample({}, static_cast<double>(counts.requests));
  out.metric("remixer_http_refusals_total", "counter", "Requests refused: no token, or foreign.");
  out.sample({}, static_cast<double>(counts.refusals));
  out.metric("remixer_http_connections", "gauge", "Open connections.");
  out.sample({}, counts.connections);
  out.metric("remixer_event_streams", "gauge", "Open event streams.");
  out.sample({}, counts.streams);
  add_process(out);
  return out.take();
}

}  // namespace remixer::coordinator
