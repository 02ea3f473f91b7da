// SPDX-License-Identifier: Apache-2.0
#include "reports/format.h"

#include <fmt/format.h>

#include <cmath>

namespace remixer::reports {

double rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  // A value within rounding error of a half was exactly a half in decimal.
  return std::copysign(std::floor(std::abs(value) * scale + 0.5 + 1e-9), value) / scale;
}

std::string number_text(double value, int decimals) {
  value = rounded(value, decimals);  // avoids "−0.00"
  return fmt::format("{}{:.{}f}", value < 0 ? "−" : "", std::abs(value), decimals);
}

std::string signed_text(double value, int decimals) {
  return fmt::format("{}{}", rounded(value, decimals) < 0 ? "" : "+", number_text(value, decimals));
}

std::string value_text(const Figure& figure, int decimals) {
  if (!figure.value) return "–";
  const std::string text = number_text(figure.value->value, decimals);
  return figure.sd ? text + " ± " + number_text(*figure.sd, decimals) : text;
}

std::string gain_text(const Figure& figure, int decimals) {
  if (!figure.gain) return "";
  return fmt::format("({}){}", signed_text(figure.gain->printed, decimals),
                     figure.gain->within_noise ? kNoiseMark : "");
}

std::string paper_text(const Figure& figure, int decimals) {
  if (!figure.paper) return "";
  const std::string text = number_text(*figure.paper, decimals);
  if (!figure.value) return text;
  const double ours = rounded(figure.value->value, decimals);
  return fmt::format("{} (Δ {})", text, signed_text(ours - *figure.paper, decimals));
}

std::string detail_text(const Figure& figure, int decimals) {
  if (!figure.value) return std::string("missing: ") + to_string(figure.missing);
  std::string text;
  if (figure.value->low < figure.value->high) {
    text = fmt::format("95 %: {} to {}; ", number_text(figure.value->low, decimals),
                       number_text(figure.value->high, decimals));
  }
  text += fmt::format("n = {}", figure.n);
  if (figure.seeds > 1) text += fmt::format(", {} seeds", figure.seeds);
  if (figure.seeds < figure.seeds_in_grid) text += fmt::format(" of {}", figure.seeds_in_grid);
  if (!figure.gain) return text;
  const Gain& gain = *figure.gain;
  text += fmt::format("; gain {}, 95 %: {} to {} ({}", signed_text(gain.printed, decimals),
                      signed_text(gain.low, decimals), signed_text(gain.high, decimals),
                      to_string(gain.basis));
  if (gain.p) text += fmt::format(", p = {:.2g}", *gain.p);
  return text + (gain.within_noise ? "; within noise)" : ")");
}

std::string labels_text(const Row& row) {
  return row.labels.empty() ? "–" : row.labels + (row.test_time_boxes ? "†" : "");
}

std::string name_text(const Table& table, const Row& row) {
  std::string text = row.model;
  if (!table.labeler_column && row.names_labels) text += ", " + labels_text(row);
  return text + (row.ours ? "‡" : "");
}

}  // namespace remixer::reports
