"""Reads the HTML pages of reports."""

import html.parser
import re


class Page(html.parser.HTMLParser):
    """Collects what a page loads, its text, its drawings and the boxes around its tables."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.labels, self.text = [], [], ""
        self.drawings, self.divs, self.table_boxes = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.loads += [v for n, v in attrs if n in {"src", "href", "xlink:href"}]
        if attributes.get("role") == "img":
            self.labels.append(attributes["aria-label"])
        if tag == "script":
            self.loads.append(tag)
        if tag == "div":
            self.divs.append(attributes.get("class"))
        if tag == "svg":
            self.drawings.append((self.divs[-1], attributes))
        if tag == "table":
            self.table_boxes.append(self.divs[-1])

    def handle_endtag(self, tag):
        if tag == "div":
            self.divs.pop()

    def handle_data(self, data):
        self.text += data


def drawings(text, width):
    """The SVG drawings of a width, narrow or wide, in the order of the page."""
    return re.findall(rf'<div class="{width}">(<svg.*?</svg>)', text, re.DOTALL)
