// report.js: sorting, the map's switches and its tooltip. The page says all
// of it without this script too, but for the map's other views.
'use strict';
(() => {
	const SHOWN = 15;
	const MEASURES = ['Exposed', 'POP3', 'IMAP', 'SMTP'];
	const HOSTS = 4; // the column of all mail hosts
	const FEW = 20; // hosts: a rate of fewer says nothing

	const value = (cell) => {
		if (cell.tagName === 'TH')
			return cell.textContent.trim();
		if (cell.dataset.v !== undefined)
			return Number(cell.dataset.v);
		return cell.textContent === 'masked' ? 0.5 : -1;
	};
	const compare = (a, b) =>
		typeof a === 'string' ? a.localeCompare(b, 'en') : a - b;

	function sort(table, column, heading) {
		const text = column === 0;
		const was = heading.getAttribute('aria-sort');
		const up = was ? was === 'descending' : text;
		const body = table.tBodies[0];
		const rows = [...body.rows].map((row) =>
			[value(row.cells[column]), row]);

		rows.sort((a, b) => compare(a[0], b[0]) * (up ? 1 : -1));
		for (const th of table.tHead.rows[0].cells)
			th.removeAttribute('aria-sort');
		heading.setAttribute('aria-sort',
			up ? 'ascending' : 'descending');
		body.append(...rows.map((entry) => entry[1]));
	}

	function sortable(table) {
		[...table.tHead.rows[0].cells].forEach((th, column) => {
			const button = document.createElement('button');

			button.type = 'button';
			button.append(...th.childNodes);
			button.addEventListener('click',
				() => sort(table, column, th));
			th.append(button);
		});
	}

	// Only the first rows, until somebody asks for all.
	function shorten(table) {
		const n = table.tBodies[0].rows.length;
		const button = document.createElement('button');
		const label = () => {
			const short = table.classList.contains('short');
			button.textContent = short ?
				`Show all ${n.toLocaleString('en-US')}` :
				`Show the first ${SHOWN}`;
			button.setAttribute('aria-expanded', String(!short));
		};

		if (n <= SHOWN + 3)
			return;
		table.classList.add('short');
		button.type = 'button';
		button.className = 'more';
		button.setAttribute('aria-controls', table.id);
		button.addEventListener('click', () => {
			table.classList.toggle('short');
			label();
		});
		label();
		table.parentElement.after(button);
	}

	const map = document.getElementById('map');
	const tip = document.getElementById('tip');
	const countries = document.getElementById('countries');
	const rowOf = (key) =>
		countries.querySelector(`tr[data-key="${key}"]`);
	let view = 0;

	function describe(name, row) {
		if (!row)
			return `${name}: masked`;
		const cells = row.querySelectorAll('td');
		const measure = view % MEASURES.length;
		const hosts = Number(cells[HOSTS].dataset.v || 0);
		const n = cells[measure].dataset.v;
		let text = `${name}. ${MEASURES[measure]}: ` +
			cells[measure].textContent;

		if (hosts >= FEW && n !== undefined)
			text += `, ${(1000 * n / hosts).toFixed(1)} per 1,000` +
				` of ${cells[HOSTS].textContent} mail hosts`;
		return text;
	}

	function show(event) {
		const path = event.target.closest('path');
		const box = map.parentElement.getBoundingClientRect();

		tip.hidden = !path;
		if (!path)
			return;
		tip.textContent = path.dataset.q ?
			describe(path.dataset.name, rowOf(path.id.slice(2))) :
			`${path.dataset.name}: none`;
		const x = event.clientX - box.left + 14;
		const y = event.clientY - box.top + 14;
		tip.style.left = Math.max(0, Math.min(x,
			box.width - tip.offsetWidth)) + 'px';
		tip.style.top = y + 'px';
	}

	function choose() {
		const checked = (name) => Number(document.querySelector(
			`input[name=${name}]:checked`).value);

		const words = (name) => document.querySelector(
			`input[name=${name}]:checked + span`).textContent;

		view = checked('measure') + MEASURES.length * checked('rate');
		document.getElementById('shown').textContent =
			'Shown: IPv4 hosts without encryption. ' +
			`${words('measure')}. ${words('rate')}.`;
		for (const place of document.querySelectorAll('[data-q]'))
			place.setAttribute('class', 'q' + place.dataset.q[view]);
		for (const legend of document.querySelectorAll('[data-view]'))
			legend.hidden = Number(legend.dataset.view) !== view;
	}

	function point(event, on) {
		const row = event.target.closest('tr');
		const path = row && document.getElementById(
			'm-' + row.dataset.key);

		if (path)
			path.classList.toggle('on', on);
	}

	for (const path of map.querySelectorAll('path')) {
		const title = path.querySelector('title');

		path.dataset.name = title.textContent.split(':')[0];
		title.remove(); // or there would be two tooltips
	}
	// On paper nothing can be opened.
	for (const event of ['beforeprint', 'afterprint'])
		window.addEventListener(event, () => {
			for (const part of document.querySelectorAll('details'))
				part.open = event === 'beforeprint';
		});
	map.addEventListener('pointermove', show);
	map.addEventListener('pointerdown', show);
	map.addEventListener('pointerleave', () => { tip.hidden = true; });
	countries.addEventListener('mouseover', (e) => point(e, true));
	countries.addEventListener('mouseout', (e) => point(e, false));
	document.getElementById('switches').hidden = false;
	document.getElementById('switches').addEventListener('change', choose);
	choose();
	for (const table of document.querySelectorAll('table.grid'))
		sortable(table);
	for (const table of document.querySelectorAll('table.long'))
		shorten(table);
})();
