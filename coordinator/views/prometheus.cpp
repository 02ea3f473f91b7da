// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/prometheus.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <utility>

namespace remixer::coordinator {

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

double number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<double>() : std::nan("");
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end()  ? ""
         : found->is_string() ? found->get<std::string>()
                              : found->dump(-1, ' ', false, Json::error_handler_t::replace);
}

void add_grids(Exposition& out, const Json& grids) {
  out.metric("remixer_grid_tasks", "gauge", "Tasks of a grid by state.");
  for (const Json& grid : grids) {
    for (const auto& [state, count] : grid.at("states").items()) {
      out.sample({{"grid", text_of(grid, "id")}, {"name", text_of(grid, "name")}, {"state", state}},
                 count.get<double>());
    }
  }
  const auto add = [&](const char* metric, const char* field, const char* help) {
    out.metric(metric, "gauge", help);
    for (const Json& grid : grids) {
      out.sample({{"grid", text_of(grid, "id")}, {"name", text_of(grid, "name")}},
                 number_of(grid, field));
    }
  };
  add("remixer_grid_cells", "cells", "Cells of a grid.");
  add("remixer_grid_cells_done", "cells_done", "Cells of a grid whose tasks are all done.");
  add("remixer_grid_cells_failed", "cells_failed", "Cells of a grid that cannot be finished.");
  add("remixer_grid_progress_ratio", "fraction", "Share of a grid's work that is done.");
  add("remixer_grid_remaining_seconds", "seconds_left",
      "Estimated time to a grid's end; NaN while unknown.");
}

void add_attempts(Exposition& out, const Json& running) {
  const auto add = [&](const char* metric, const char* field, const char* help) {
    out.metric(metric, "gauge", help);
    for (const Json& attempt : running) {
      out.sample({{"task", text_of(attempt, "task_id")}, {"title", text_of(attempt, "title")}},
                 number_of(attempt, field));
    }
  };
  add("remixer_attempt_step", "step", "Step of a running attempt.");
  add("remixer_attempt_steps", "total_steps", "Steps that a running attempt has to do.");
  add("remixer_attempt_heartbeat_age_seconds", "last_heartbeat_seconds",
      "Time since a running attempt's last report.");
  out.metric("remixer_attempt_metric", "gauge",
             "Newest value of what a running attempt reports: loss, lr, kappa, system figures.");
  for (const Json& attempt : running) {
    for (const auto& [name, value] : attempt.at("metrics").items()) {
      out.sample({{"task", text_of(attempt, "task_id")},
                  {"title", text_of(attempt, "title")},
                  {"worker", text_of(attempt, "worker")},
                  {"name", name}},
                 value.is_number() ? value.get<double>() : std::nan(""));
    }
  }
}

void add_workers(Exposition& out, const Json& workers) {
  std::map<std::string, int> states{{"idle", 0}, {"running", 0}, {"silent", 0}, {"set aside", 0}};
  for (const Json& worker : workers) ++states[text_of(worker, "state")];
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

std::string prometheus_text(const Json& status, const ServerCounts& counts) {
  Exposition out;
  out.metric("remixer_build_info", "gauge", "Always 1; the version is in the label.");
  out.sample({{"version", text_of(status, "version")}}, 1);
  add_grids(out, status.at("grids"));
  add_attempts(out, status.at("running"));
  add_workers(out, status.at("workers"));
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
