// SPDX-License-Identifier: Apache-2.0
// Parses PASCAL-VOC annotations structurally.
#include <cstring>
#include <pugixml.hpp>

#include "base/error.h"
#include "core/dataset/box_table.h"
#include "core/dataset/boxes.h"

namespace remixer::data {
namespace {

// A child element that may occur at most once.
pugi::xml_node only_child(const pugi::xml_node& parent, const char* tag, const std::string& name) {
  const pugi::xml_node child = parent.child(tag);
  if (child && child.next_sibling(tag)) {
    fail_input("{}: <{}> holds several <{}>; correct the file", name, parent.name(), tag);
  }
  return child;
}

int corner(const pugi::xml_node& box, const char* tag, const std::string& name) {
  const pugi::xml_node child = only_child(box, tag, name);
  const auto value = child ? pixels(child.text().get()) : std::nullopt;
  if (!value) fail_input("{}: a <bndbox> without a whole <{}>; replace the file", name, tag);
  return *value;
}

int side(const pugi::xml_node& size, const char* tag) {
  const pugi::xml_node child = size.child(tag);
  return child ? pixels(child.text().get()).value_or(0) : 0;
}

}  // namespace

Annotation parse_voc(std::string_view xml, const std::string& name) {
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.document_element();
  if (!result || std::strcmp(root.name(), "annotation") != 0) {
    fail_input("{} is torn or no PASCAL-VOC annotation ({}); replace it", name,
               !result ? fmt::format("byte {}: {}", result.offset, result.description())
               : root  ? fmt::format("its first element is <{}>", root.name())
                       : "it holds no element");
  }
  Annotation annotation;
  const pugi::xml_node size = only_child(root, "size", name);
  annotation.width = side(size, "width");
  annotation.height = side(size, "height");
  for (const pugi::xml_node& object : root.children("object")) {
    const pugi::xml_node box = only_child(object, "bndbox", name);
    if (!box) fail_input("{}: an <object> without a <bndbox>; replace the file", name);
    if (annotation.boxes.empty()) annotation.object = trimmed(object.child("name").text().get());
    annotation.boxes.push_back({corner(box, "xmin", name), corner(box, "ymin", name),
                                corner(box, "xmax", name), corner(box, "ymax", name)});
  }
  return annotation;
}

}  // namespace remixer::data
