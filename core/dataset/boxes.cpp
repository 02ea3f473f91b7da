#include "core/dataset/boxes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/file.h"

namespace remixer::data {

namespace {

constexpr size_t kAmbiguous = ~size_t{0};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// "12", or "12.4" as some tools write pixels. Nothing where it is no number of pixels.
std::optional<int> pixels(std::string_view text) {
  text = trimmed(text);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(std::abs(value) < 1e6)) return std::nullopt;
  return static_cast<int>(std::lround(value));
}

// The text between <tag> and </tag>, from `begin` on; `begin` moves behind it. Nothing where there
// is no such element.
std::optional<std::string_view> element(std::string_view xml, std::string_view tag, size_t& begin) {
  const std::string open = fmt::format("<{}>", tag), close = fmt::format("</{}>", tag);
  const size_t start = xml.find(open, begin);
  if (start == std::string_view::npos) return std::nullopt;
  const size_t content = start + open.size();
  const size_t end = xml.find(close, content);
  if (end == std::string_view::npos) return std::nullopt;
  begin = end + close.size();
  return xml.substr(content, end - content);
}

std::optional<std::string_view> element(std::string_view xml, std::string_view tag) {
  size_t begin = 0;
  return element(xml, tag, begin);
}

int corner(std::string_view box, const char* tag, const std::string& name) {
  const auto text = element(box, tag);
  const auto value = text ? pixels(*text) : std::nullopt;
  if (!value) fail_input("{}: a <bndbox> without a whole <{}>; replace the file", name, tag);
  return *value;
}

// "a/b.JPEG" to "a/b". Names may hold dots: only a short suffix of letters is one.
std::string_view without_suffix(std::string_view path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || path.size() - dot > 5 || dot + 1 == path.size()) return path;
  const std::string_view suffix = path.substr(dot + 1);
  const bool letters = std::all_of(suffix.begin(), suffix.end(),
                                   [](unsigned char c) { return std::isalpha(c) != 0; });
  return letters && path.find('/', dot) == std::string_view::npos ? path.substr(0, dot) : path;
}

std::string_view file_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(separator, begin), line.size());
    const std::string_view field = trimmed(line.substr(begin, end - begin));
    // Several spaces are one; an empty field between tabs or commas is a field.
    if (separator != ' ' || !field.empty()) fields.push_back(field);
    begin = end + 1;
  }
  return fields;
}

// Which column holds what; -1: none.
struct Columns {
  int image = -1, object = -1, width = -1, height = -1;
  std::array<int, 4> corners{-1, -1, -1, -1};
  size_t count = 0;
};

// Nothing where the fields are no names but a first row.
std::optional<Columns> named_columns(const std::vector<std::string_view>& fields,
                                     const std::string& where) {
  constexpr std::array<std::array<std::string_view, 2>, 4> kCorners = {
      {{"x0", "xmin"}, {"y0", "ymin"}, {"x1", "xmax"}, {"y1", "ymax"}}};
  Columns columns;
  columns.count = fields.size();
  bool any = false;
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string name(fields[i]);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const int column = static_cast<int>(i);
    for (size_t c = 0; c < 4; ++c) {
      if (name == kCorners[c][0] || name == kCorners[c][1]) columns.corners[c] = column, any = true;
    }
    if (name == "image" || name == "path" || name == "file" || name == "filename") {
      columns.image = column;
    } else if (name == "class" || name == "wnid" || name == "label") {
      columns.object = column;
    } else if (name == "width") {
      columns.width = column;
    } else if (name == "height") {
      columns.height = column;
    }
  }
  if (!any) return std::nullopt;
  const bool whole =
      columns.image >= 0 && std::none_of(columns.corners.begin(), columns.corners.end(),
                                         [](int column) { return column < 0; });
  if (!whole) fail_input("{}: the columns must hold image, x0, y0, x1 and y1", where);
  return columns;
}

Columns plain_columns(size_t count, const std::string& where) {
  Columns columns;
  columns.count = count;
  columns.image = 0;
  if (count == 5) {
    columns.corners = {1, 2, 3, 4};
  } else if (count == 6) {
    columns.object = 1;
    columns.corners = {2, 3, 4, 5};
  } else {
    fail_input(
        "{}: {} columns; a table of boxes has \"image x0 y0 x1 y1\" or \"image class x0 y0 x1 "
        "y1\", or a first line that names its columns",
        where, count);
  }
  return columns;
}

int table_number(std::string_view text, const std::string& where) {
  const auto value = pixels(text);
  if (!value) fail_input("{}: \"{}\" is no number of pixels", where, text);
  return *value;
}

}  // namespace

Annotation parse_voc(std::string_view xml, const std::string& name) {
  const auto whole = element(xml, "annotation");
  // Some tools give the element attributes.
  const bool attributed = xml.find("<annotation ") != std::string_view::npos &&
                          xml.find("</annotation>") != std::string_view::npos;
  if (!whole && !attributed) {
    fail_input("{} is torn or no PASCAL-VOC annotation; replace it", name);
  }
  const std::string_view text = whole ? *whole : xml;
  Annotation annotation;
  if (const auto size = element(text, "size")) {
    const auto width = element(*size, "width"), height = element(*size, "height");
    annotation.width = width ? pixels(*width).value_or(0) : 0;
    annotation.height = height ? pixels(*height).value_or(0) : 0;
  }
  size_t begin = 0;
  while (const auto object = element(text, "object", begin)) {
    const auto box = element(*object, "bndbox");
    if (!box) fail_input("{}: an <object> without a <bndbox>; replace the file", name);
    if (annotation.boxes.empty()) {
      annotation.object = std::string(trimmed(element(*object, "name").value_or("")));
    }
    annotation.boxes.push_back({corner(*box, "xmin", name), corner(*box, "ymin", name),
                                corner(*box, "xmax", name), corner(*box, "ymax", name)});
  }
  return annotation;
}

std::string fit_box(Box& box, int width, int height) {
  if (box.x0 > box.x1 || box.y0 > box.y1) return "its box's corners are swapped";
  if (box.x0 < 0 || box.y0 < 0 || box.x1 > width || box.y1 > height || box.x0 >= width ||
      box.y0 >= height) {
    return "its box lies outside the image";
  }
  box.x1 = std::min(box.x1, width - 1);
  box.y1 = std::min(box.y1, height - 1);
  return {};
}

BoxIndex BoxIndex::open(const fs::path& path) {
  BoxIndex index;
  if (fs::is_directory(path)) {
    index.add_folder(path);
    if (index.entries_.empty()) fail_input("{} holds no .xml file", path.string());
  } else {
    index.add_table(path, "");
  }
  return index;
}

BoxIndex::Entry& BoxIndex::entry(const std::string& image) {
  const std::string key(without_suffix(image));
  const auto [found, is_new] = by_path_.try_emplace(key, entries_.size());
  if (is_new) {
    entries_.emplace_back();
    const auto [name, first] = by_name_.try_emplace(std::string(file_name(key)), found->second);
    if (!first) name->second = kAmbiguous;
  }
  return entries_[found->second];
}

void BoxIndex::add_folder(const fs::path& folder) {
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".xml") continue;
    entry(file.path().lexically_relative(folder).string()).xml = file.path();
  }
}

void BoxIndex::add_table(const fs::path& file, const std::string& folder) {
  const std::string text = read_file(file);
  std::optional<Columns> columns;
  bool localisation = false;
  char separator = ' ';
  int line_number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    ++line_number;
    if (line.empty()) continue;
    const std::string where = fmt::format("{}:{}", file.string(), line_number);
    if (line_number == 1) {
      separator = line.find('\t') != std::string_view::npos  ? '\t'
                  : line.find(',') != std::string_view::npos ? ','
                                                             : ' ';
      localisation = line.starts_with("ImageId,PredictionString");
      if (localisation) continue;
      columns = named_columns(split(line, separator), where);
      if (columns) continue;
    }
    const auto fields = split(line, separator);
    if (localisation) {
      if (fields.size() != 2) fail_input("{}: two columns are expected", where);
      const auto words = split(fields[1], ' ');
      if (words.size() % 5 != 0) fail_input("{}: five words a box are expected", where);
      Annotation& annotation = entry(std::string(fields[0])).annotation;
      for (size_t i = 0; i < words.size(); i += 5) {
        if (annotation.boxes.empty()) annotation.object = words[i];
        annotation.boxes.push_back(
            {table_number(words[i + 1], where), table_number(words[i + 2], where),
             table_number(words[i + 3], where), table_number(words[i + 4], where)});
      }
      continue;
    }
    if (!columns) columns = plain_columns(fields.size(), where);
    if (fields.size() != columns->count) {
      fail_input("{}: {} columns, {} expected", where, fields.size(), columns->count);
    }
    const auto field = [&](int column) { return fields[static_cast<size_t>(column)]; };
    std::string image(field(columns->image));
    if (!folder.empty()) image = folder + "/" + image;
    Annotation& annotation = entry(image).annotation;
    if (annotation.boxes.empty()) {
      images_.push_back(image);
      if (columns->object >= 0) annotation.object = field(columns->object);
    }
    if (columns->width >= 0) annotation.width = table_number(field(columns->width), where);
    if (columns->height >= 0) annotation.height = table_number(field(columns->height), where);
    annotation.boxes.push_back({table_number(field(columns->corners[0]), where),
                                table_number(field(columns->corners[1]), where),
                                table_number(field(columns->corners[2]), where),
                                table_number(field(columns->corners[3]), where)});
  }
}

std::optional<Annotation> BoxIndex::find(std::string_view image) const {
  const std::string_view key = without_suffix(image);
  const Entry* entry = nullptr;
  for (std::string_view rest = key; !entry;) {
    const auto found = by_path_.find(std::string(rest));
    if (found != by_path_.end()) entry = &entries_[found->second];
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) break;
    rest = rest.substr(slash + 1);
  }
  if (!entry) {
    const auto named = by_name_.find(std::string(file_name(key)));
    if (named == by_name_.end() || named->second == kAmbiguous) return std::nullopt;
    entry = &entries_[named->second];
  }
  if (!entry->xml.empty()) return parse_voc(read_file(entry->xml), entry->xml.string());
  return entry->annotation;
}

}  // namespace remixer::data
