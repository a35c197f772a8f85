// Returns each visible text whose contrast to its background is below 4.5 (WCAG 2.2, 1.4.3), with the ratio.
() => {
  const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = (channel) => (channel <= 10.31475 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue);
  const background = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = new Map();
  for (const element of document.querySelectorAll("body *")) {
    const isSvg = element instanceof SVGElement;
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const style = getComputedStyle(element);
    if (!hasText || style.display === "none" || !element.getClientRects().length) continue;
    const [one, other] = [luminance(parse(isSvg ? style.fill : style.color)), luminance(background(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.set(`${element.className.baseVal ?? element.className} ${ratio.toFixed(2)}`, element.textContent);
  }
  return [...found].map(([where, text]) => `${where}: ${text.slice(0, 40)}`);
}
