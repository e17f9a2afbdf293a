enum PageStyle {
  static let text = """
    :root { color-scheme: light dark; --ink: #1c2024; --dim: #60646c; --line: #d9dde3;
      --card: #f6f7f9; --bar: #3b6fb6; --sub: #8a5a00; --del: #b42318; --ins: #0b6e6e; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --dim: #9aa1ab;
      --line: #363b43; --card: #202429; --bar: #7aa7e8; --sub: #e0a94a; --del: #f28b82;
      --ins: #6fd0d0; } }
    body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); }
    header, main { max-width: 68rem; margin: 0 auto; padding: 1rem 1.25rem; }
    h1 { font-size: 1.5rem; margin: 0.5rem 0 0; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin: 0; display: inline-block; }
    h3 { font-size: 1rem; margin: 0 0 0.25rem; }
    section { margin: 0 0 2rem; }
    section > h2 { margin-bottom: 0.5rem; }
    summary { cursor: pointer; margin-bottom: 0.5rem; }
    .small, .remark, #found { color: var(--dim); font-size: 0.9rem; }
    .remark { color: var(--del); }
    .tiles { display: flex; flex-wrap: wrap; gap: 0.75rem; }
    .tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
      padding: 0.6rem 1rem; display: flex; flex-direction: column; min-width: 11rem; }
    .tile strong { font-size: 1.7rem; font-variant-numeric: tabular-nums; }
    .tile span { color: var(--dim); font-size: 0.9rem; }
    .scroll { overflow: auto; max-height: 28rem; }
    table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
    th, td { padding: 0.2rem 0.8rem 0.2rem 0; text-align: right; border-bottom: 1px solid var(--line); }
    th:first-child, td:first-child { text-align: left; }
    th { position: sticky; top: 0; background: Canvas; font-weight: 600; }
    .sortable th { cursor: pointer; }
    #conditions td { text-align: left; }
    .plots, .lists { display: flex; flex-wrap: wrap; gap: 1.5rem; }
    figure { margin: 0; flex: 1 1 24rem; max-width: 32rem; }
    figcaption { font-size: 0.9rem; color: var(--dim); }
    svg { width: 100%; height: auto; font-size: 11px; }
    svg text { fill: var(--dim); } svg rect { fill: var(--bar); }
    svg .grid { stroke: var(--line); }
    form { display: flex; flex-wrap: wrap; gap: 0.75rem 1.25rem; align-items: center; }
    input[type=search], select, button { font: inherit; padding: 0.25rem 0.5rem; }
    input[type=search] { width: 18rem; max-width: 60vw; }
    article { border-top: 1px solid var(--line); padding: 0.6rem 0; }
    article .about { color: var(--dim); font-size: 0.85rem; }
    article p { margin: 0.2rem 0; line-height: 1.9; overflow-wrap: anywhere; }
    article audio { height: 2rem; width: 22rem; max-width: 100%; vertical-align: middle; }
    del, ins, mark { background: none; color: inherit; text-decoration: none; }
    del { color: var(--del); text-decoration: line-through; }
    ins { color: var(--ins); border-bottom: 2px solid var(--ins); }
    .sub { color: var(--sub); white-space: nowrap; }
    .sub del { color: var(--sub); } .sub ins { color: var(--sub); border-color: var(--sub); }

    """
}
