// SPDX-License-Identifier: Apache-2.0
#include "reports/report_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "reports/format.h"
#include "reports/plot.h"

namespace remixer::reports {

namespace {

// With more series, drawings are unreadable on paper or on a phone.
constexpr size_t kMostSeries = 40;

// "DeiT-S + ReMixer (ReLabel)"
std::string series_name(const Row& row) {
  std::string name = row.model == row.block || row.block.empty() || !row.model.starts_with("+")
                         ? row.model
                         : row.block + " " + row.model;
  if (const size_t ours = name.find(" (ours)"); ours != std::string::npos) name.erase(ours, 7);
  return row.labels.empty() ? name : name + " (" + row.labels + ")";
}

const Table* find_table(const Report& report, const std::string& id) {
  const auto found =
      std::find_if(report.tables.begin(), report.tables.end(),
                   [&](const Table& table) { return table.id == id && table.weights == "raw"; });
  return found == report.tables.end() ? nullptr : &*found;
}

std::optional<size_t> find_column(const Table& table, const std::string& id) {
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].id == id) return c;
  }
  return std::nullopt;
}

void add_accuracy_plot(const Report& report, std::vector<NamedPlot>& plots) {
  const Table* table = find_table(report, "1");
  if (!table) return;
  const auto accuracy = find_column(*table, "original"), gap = find_column(*table, "bg_gap");
  if (!accuracy || !gap) return;
  Plot plot{"Accuracy on Original against BG-Gap, a mark for each model",
            "Original, accuracy in %",
            "BG-Gap in points (lower is better)",
            /*lines=*/false,
            /*y_from_zero=*/false,
            {}};
  for (const Row& row : table->rows) {
    const auto &x = row.figures[*accuracy].value, &y = row.figures[*gap].value;
    if (!x || !y) continue;
    plot.series.push_back({series_name(row),
                           {{x->value, y->value, x->low, x->high, y->low, y->high}},
                           !row.is_remixer});
  }
  if (plot.series.empty() || plot.series.size() > kMostSeries) return;
  plots.push_back({"accuracy_bg_gap", "Accuracy against BG-Gap",
                   "Right and down is better: more accurate, and less moved by the background. "
                   "Plain models are outlines; bars are 95 % intervals.",
                   plot_svg(plot)});
}

void add_forest(const Table& table, std::vector<NamedPlot>& plots) {
  std::vector<ForestLine> lines;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const size_t before = lines.size();
    for (const Row& row : table.rows) {
      const auto& gain = row.figures[c].gain;
      if (!gain) continue;
      if (lines.size() == before) {
        lines.push_back({table.columns[c].heading_with_arrow(), true, 0, 0, 0, false});
      }
      lines.push_back(
          {series_name(row), false, gain->printed, gain->low, gain->high, gain->within_noise});
    }
  }
  if (lines.empty() || lines.size() > 4 * kMostSeries) return;
  const std::string heading = "Gains of " + table.title.substr(0, table.title.find('.'));
  plots.push_back({table.name + "_gains", heading,
                   "Each gain, in points, with its 95 % interval; of a column with ↓ a gain to the "
                   "left is the better one.",
                   forest_svg(heading + ", with 95 % intervals", lines)});
}

std::string kappa_name(const KappaRow& row) {
  return row.labels.empty() ? row.model : row.model + " (" + row.labels + ")";
}

// Values are means over seeds.
void add_kappa_plot(const Report& report, std::vector<NamedPlot>& plots) {
  Plot plot{"Learned κ by layer, a line for each model", "layer", "κ", true, true, {}};
  std::vector<std::string> names;
  std::map<std::string, std::vector<const KappaRow*>> by_name;
  for (const KappaRow& row : report.kappas) {
    if (!by_name.contains(kappa_name(row))) names.push_back(kappa_name(row));
    by_name[kappa_name(row)].push_back(&row);
  }
  for (const std::string& name : names) {
    PlotSeries series{name, {}, false};
    const auto& rows = by_name.at(name);
    for (size_t b = 0; b < rows.front()->kappa.size(); ++b) {
      double sum = 0, count = 0;
      for (const KappaRow* row : rows) {
        if (b >= row->kappa.size() || !std::isfinite(row->kappa[b])) continue;
        sum += row->kappa[b];
        ++count;
      }
      if (count > 0) series.points.push_back({static_cast<double>(b + 1), sum / count});
    }
    plot.series.push_back(std::move(series));
  }
  if (plot.series.empty() || plot.series.size() > kMostSeries) return;
  plots.push_back({"kappa_by_layer", "κ by layer",
                   "The learned mask scale of each layer, the first nearest to the image; means "
                   "over seeds. Distances differ by labeler, so compare lines of one labeler.",
                   plot_svg(plot)});
}

// The mean over a model's seeds, at the points that they all have.
PlotSeries mean_curve(const std::string& name, const std::vector<const CellDetails*>& cells,
                      std::vector<CurvePoint> CellDetails::*curve) {
  constexpr size_t kMostPoints = 160;
  std::map<double, std::pair<double, size_t>> sums;
  for (const CellDetails* cell : cells) {
    for (const CurvePoint& point : cell->*curve) {
      auto& [sum, count] = sums[point.epoch];
      sum += point.value;
      ++count;
    }
  }
  PlotSeries series{name, {}, false};
  for (const auto& [epoch, sum] : sums) {
    if (sum.second == cells.size())
      series.points.push_back({epoch, sum.first / static_cast<double>(sum.second)});
  }
  if (series.points.size() <= kMostPoints) return series;
  // Average neighbouring points.
  const size_t every = (series.points.size() + kMostPoints - 1) / kMostPoints;
  std::vector<PlotPoint> thinned;
  for (size_t first = 0; first < series.points.size(); first += every) {
    const size_t end = std::min(series.points.size(), first + every);
    PlotPoint mean;
    for (size_t i = first; i < end; ++i) {
      mean.x += series.points[i].x / static_cast<double>(end - first);
      mean.y += series.points[i].y / static_cast<double>(end - first);
    }
    thinned.push_back(mean);
  }
  series.points = std::move(thinned);
  return series;
}

void add_curves(const Report& report, std::vector<CurvePoint> CellDetails::*curve, const char* name,
                const char* heading, const char* y_label, std::vector<NamedPlot>& plots) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<const CellDetails*>> by_name;
  for (const CellDetails& cell : report.cells) {
    if ((cell.*curve).empty()) continue;
    const std::string label =
        cell.labels.empty() ? cell.name : cell.name + " + ReMixer (" + cell.labels + ")";
    if (!by_name.contains(label)) names.push_back(label);
    by_name[label].push_back(&cell);
  }
  Plot plot{fmt::format("{} by epoch, a line for each model", heading),
            "epoch",
            y_label,
            true,
            false,
            {}};
  for (const std::string& label : names) {
    PlotSeries series = mean_curve(label, by_name.at(label), curve);
    if (!series.points.empty()) plot.series.push_back(std::move(series));
  }
  if (plot.series.empty() || plot.series.size() > kMostSeries) return;
  plots.push_back({name, heading, "Means over seeds.", plot_svg(plot)});
}

}  // namespace

std::string curve_svg(const CellDetails& cell) {
  if (cell.loss.empty()) return "";
  Plot plot{"Training loss by epoch", "epoch", "loss", true, false, {}};
  plot.series.push_back(mean_curve("training loss", {&cell}, &CellDetails::loss));
  return plot_svg(plot);
}

std::vector<NamedPlot> report_plots(const Report& report) {
  std::vector<NamedPlot> plots;
  add_accuracy_plot(report, plots);
  for (const Table& table : report.tables) {
    if (table.weights == "raw" && table.form == Form::kAccuracy) add_forest(table, plots);
  }
  add_kappa_plot(report, plots);
  add_curves(report, &CellDetails::loss, "learning_curves", "Training loss", "loss", plots);
  add_curves(report, &CellDetails::hold_out, "hold_out_curves",
             "Accuracy on the held-out training images", "top-1 in %", plots);
  return plots;
}

}  // namespace remixer::reports
