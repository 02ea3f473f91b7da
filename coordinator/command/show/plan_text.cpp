// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/plan_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/amount_text.h"

namespace remixer::coordinator::command {

using experiments::Machine;
using experiments::MissingInput;
using experiments::Outlook;
using experiments::OutlookRow;

namespace {

std::string wall_text(double hours) {
  return hours < 48 ? hours_text(hours) : rounded_text(hours / 24) + " days";
}

// "8 workers of 4 a100 GPUs".
std::string machine_text(const Machine& machine, bool from_site) {
  const std::string unit = !machine.gpu            ? "processor"
                           : machine.model.empty() ? "GPU"
                                                   : machine.model + " GPU";
  return fmt::format("{} of {}{}", counted(machine.workers, "worker"),
                     counted(machine.devices, unit),
                     from_site ? "" : " (give --site for your cluster)");
}

std::vector<Column> work_columns(bool gpu, Reader reader) {
  const std::string device = gpu ? "gpu" : "processor";
  std::vector<Column> columns{{"kind"}, {"what"}, {"tasks"}, {"reused"}, {"images"}};
  if (reader == Reader::kPerson) {
    columns.insert(columns.end(), {{device + "_time", Show::kHours},
                                   {"label_processor_time", Show::kHours},
                                   {"disk", Show::kGigabytes}});
  } else {
    columns.insert(columns.end(), {{device + "_hours"}, {"label_processor_hours"}, {"gigabytes"}});
  }
  columns.push_back({"from"});
  return columns;
}

// Labels are made on processors, or by a network on a GPU.
bool on_device(const OutlookRow& row) {
  return row.kind != "prepare" && (row.kind != "label" || row.device_hours > 0);
}

bool labels_on_device(const Outlook& outlook) {
  return std::any_of(outlook.rows.begin(), outlook.rows.end(),
                     [](const OutlookRow& row) { return row.kind == "label" && on_device(row); });
}

}  // namespace

std::string plan_heading(const std::string& grid, const Outlook& outlook) {
  return fmt::format("{}: {} ({} finished already), {}: {} reused, {} to run", grid,
                     counted(outlook.cells, "cell"), outlook.cells_reused,
                     counted(outlook.tasks, "task"), outlook.tasks_reused,
                     outlook.tasks - outlook.tasks_reused);
}

Table work_table(const Outlook& outlook, bool gpu, Reader reader) {
  Table table(work_columns(gpu, reader));
  for (const OutlookRow& row : outlook.rows) {
    const bool work = row.kind != "prepare";
    table.add_row({row.kind, row.what, row.tasks, row.reused, work ? Json(row.images) : Json(),
                   on_device(row) && row.known ? Json(row.device_hours) : Json(),
                   row.kind == "label" && row.known ? Json(row.processor_hours) : Json(),
                   row.gigabytes > 0 ? Json(row.gigabytes) : Json(),
                   !work       ? ""
                   : row.known ? row.basis
                               : "not known"});
  }
  return table;
}

std::string totals_text(const Outlook& outlook, const Machine& machine, bool from_site) {
  const bool labels = labels_on_device(outlook);
  std::string text = fmt::format(
      "Time: {} of {}{}{}; {} by {}, one training {}\n",
      device_hours_text(outlook.device_hours, machine.gpu ? "GPU" : "processor"),
      labels ? "training, evaluation and labelling" : "training and evaluation",
      outlook.processor_hours > 0
          ? fmt::format(", {} {}", device_hours_text(outlook.processor_hours, "processor"),
                        labels ? "to read images for labels or cut them" : "of labelling")
          : "",
      outlook.whole ? "" : ", without what is not known", wall_text(outlook.wall_hours),
      machine_text(machine, from_site), wall_text(outlook.longest_hours));
  text +=
      fmt::format("Disk: {} of labels, {} of models, beside the data sets\n",
                  gigabytes_text(outlook.label_gigabytes), gigabytes_text(outlook.model_gigabytes));
  return text;
}

std::string missing_text(const std::vector<MissingInput>& missing) {
  if (missing.empty()) return "Nothing is missing.\n";
  std::string text = fmt::format("Missing ({}):\n", missing.size());
  for (const MissingInput& each : missing) {
    text += fmt::format("  {} {}{}\n", each.what, each.name,
                        each.gigabytes > 0 ? ", about " + gigabytes_text(each.gigabytes) : "");
    if (!each.source.empty()) text += fmt::format("    from  {}\n", each.source);
    text += fmt::format("    by    {}\n", each.command);
  }
  return text;
}

}  // namespace remixer::coordinator::command
