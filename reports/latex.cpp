// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "reports/format.h"
#include "reports/report.h"

namespace remixer::reports {

namespace {

// Characters with a meaning in LaTeX, and those that not every engine can read.
constexpr std::pair<std::string_view, std::string_view> kSpelled[] = {
    {"\\", "\\textbackslash{}"},
    {"&", "\\&"},
    {"%", "\\%"},
    {"$", "\\$"},
    {"#", "\\#"},
    {"_", "\\_"},
    {"{", "\\{"},
    {"}", "\\}"},
    {"~", "\\textasciitilde{}"},
    {"^", "\\textasciicircum{}"},
    {"<", "\\textless{}"},
    {">", "\\textgreater{}"},
    {"|", "\\textbar{}"},
    {"\"", "\\textquotedbl{}"},
    {"\n", " "},
    {"\r", " "},
    {"−", "$-$"},
    {"±", "$\\pm$"},
    {"–", "--"},
    {"↑", "$\\uparrow$"},
    {"↓", "$\\downarrow$"},
    {"†", "$^\\dagger$"},
    {"‡", "$^\\ddagger$"},
    {"Δ", "$\\Delta$"},
    {"κ", "$\\kappa$"},
    {"²", "$^2$"},
    {"·", "$\\cdot$"},
    {"½", "$\\frac12$"},
};

std::string escape(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const auto* found =
        std::find_if(std::begin(kSpelled), std::end(kSpelled),
                     [&](const auto& each) { return text.starts_with(each.first); });
    if (found != std::end(kSpelled)) {
      escaped += found->second;
      text.remove_prefix(found->first.size());
      continue;
    }
    const auto byte = static_cast<unsigned char>(text.front());
    // Other letters are kept up to ÿ; those that pdfLaTeX may not know become '?'.
    if (byte < 0x20) {
      escaped += ' ';
      text.remove_prefix(1);
    } else if (byte < 0x80) {
      escaped += text.front();
      text.remove_prefix(1);
    } else {
      size_t length = 1;
      while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
        ++length;
      }
      escaped += byte == 0xC3 ? std::string(text.substr(0, length)) : "?";
      text.remove_prefix(length);
    }
  }
  return escaped;
}

std::string noise(bool within) {
  return within ? "$^\\sim$" : "";
}

std::string latex_cell(const Figure& figure, int decimals) {
  std::string text = escape(value_text(figure, decimals));
  if (figure.best) text = "\\textbf{" + text + "}" + noise(figure.best_within_noise);
  if (!figure.gain) return text;
  return text + fmt::format(" {{\\footnotesize({}){}}}",
                            escape(signed_text(figure.gain->printed, decimals)),
                            noise(figure.gain->within_noise));
}

std::string row_line(const Table& table, const Row& row) {
  std::vector<std::string> cells = {escape(name_text(table, row))};
  if (table.labeler_column) cells.push_back(escape(labels_text(row)));
  for (size_t c = 0; c < row.figures.size(); ++c) {
    cells.push_back(latex_cell(row.figures[c], table.decimals));
    if (table.columns[c].has_paper) {
      cells.push_back(escape(paper_text(row.figures[c], table.decimals)));
    }
  }
  std::string line;
  for (std::string& cell : cells) {
    // A '[' after '\\' or at the start of a row would be parsed as an option.
    if (row.grey) cell = "\\textcolor{gray}{" + cell + "}";
    line += (line.empty() ? "" : " & ") + cell;
  }
  return "  {}" + line + " \\\\\n";
}

bool is_numbered(const Table& table) {
  return table.title.starts_with("Table " + table.id + ". ");
}

// LaTeX numbers tables itself.
std::string title_without_number(const Table& table) {
  return is_numbered(table) ? table.title.substr(table.id.size() + 8) : table.title;
}

}  // namespace

std::string to_latex(const Table& table) {
  std::string columns = table.labeler_column ? "ll" : "l", heading = "  Model";
  if (table.labeler_column) heading += " & Patch labeler";
  for (const Column& column : table.columns) {
    columns += "r";
    heading += " & " + escape(column.heading_with_arrow());
    if (!column.has_paper) continue;
    columns += "l";
    heading += " & Paper";
  }
  std::string text = fmt::format(
      "% Needs \\usepackage{{booktabs,graphicx,xcolor}}.\n"
      "\\begin{{table}}[htbp]\n\\centering\n\\caption{{\\textbf{{{}.}} {}}}\n\\label{{tab:{}}}\n"
      "\\resizebox{{\\textwidth}}{{!}}{{%\n\\begin{{tabular}}{{{}}}\n  \\toprule\n{} \\\\\n",
      escape(title_without_number(table)), escape(table.caption), table.name, columns, heading);
  const bool rules = std::any_of(table.rows.begin(), table.rows.end(),
                                 [](const Row& row) { return !row.starts_block; });
  for (size_t r = 0; r < table.rows.size(); ++r) {
    if (r == 0 || (table.rows[r].starts_block && rules)) text += "  \\midrule\n";
    text += row_line(table, table.rows[r]);
  }
  text +=
      "  "
      "\\bottomrule\n\\end{tabular}}\n\n\\smallskip\n\\begin{minipage}{\\textwidth}"
      "\\footnotesize\n";
  for (const std::string& note : table.notes) {
    // In the table the mark is a superscript.
    std::string line = escape(note);
    for (size_t at; (at = line.find("\\textasciitilde{}")) != std::string::npos;) {
      line.replace(at, 17, "$^\\sim$");
    }
    text += line + "\\par\n";
  }
  return text + "\\end{minipage}\n\\end{table}\n";
}

std::string latex_document(const std::vector<const Table*>& tables) {
  std::string text =
      "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n"
      "\\usepackage{textcomp}\n\\usepackage[a4paper,landscape,margin=2cm]{geometry}\n"
      "\\usepackage{booktabs,graphicx,xcolor}\n\\begin{document}\n";
  for (const Table* table : tables) {
    // Use the paper's table numbers.
    if (is_numbered(*table)) {
      text += fmt::format("\\setcounter{{table}}{{{}}}\n", std::atoi(table->id.c_str()) - 1);
    }
    text += to_latex(*table) + "\\clearpage\n";
  }
  return text + "\\end{document}\n";
}

}  // namespace remixer::reports
